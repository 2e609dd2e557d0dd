"""The laws that conditions and refusals cite, and where the registry reads its facts, as texts."""

from policies.vocabulary import Text

REGISTRY_RULE = Text("registry rule", "平台规则")
SEPARATION_OF_DUTIES = Text("separation of duties", "职责分离")
PROPERTY_PRESERVATION = Text("property preservation", "财产保全")
MARKET_RULES = Text("Market Trading Rules of Hebei", "河北省排污权市场交易细则")
TRADING_MEASURES = Text("Trading Measures of Hebei 2022", "河北省排污权市场交易管理暂行办法")
CROSS_REGION_MEASURES = Text(
    "Cross-region Measures of Hebei 2026", "河北省排污权跨区域流转和交易管理暂行办法"
)
NATIONAL_OPINION = Text("Opinions of the State Council's office, 2014 no. 38", "国办发〔2014〕38号")
NATIONAL_OPINION_ITEM_3 = Text(f"{NATIONAL_OPINION.en}, item 3", f"{NATIONAL_OPINION.zh}第三项")
NATIONAL_OPINION_ITEM_9 = Text(f"{NATIONAL_OPINION.en}, item 9", f"{NATIONAL_OPINION.zh}第九项")
PAYMENT_MEASURES = Text("Measures on payment, 2015 no. 61, art. 12", "财税〔2015〕61号第十二条")
REFORM_PLAN = Text("Reform plan of Hebei, 2022 no. 3", "冀政办字〔2022〕3号")
PERMIT_REGULATION = Text("Permit Regulation 2021", "排污许可管理条例")
NUMBERING_STANDARD = Text("HJ 608-2017", "HJ 608-2017")

REGISTRY = Text("registry", "登记系统")
REFERENCE_DATA = Text("reference data", "基础数据")
LEDGER = Text("ledger", "账本")
PARAMETERS = Text("parameters of the regulation", "制度参数")
REGISTER_OF_ORGANISATIONS = Text("register of organisations", "单位登记")
REGISTER_OF_PERMITS = Text("register of permits", "排污许可登记")
AGREEMENTS = Text("register of agreements", "合作协议登记")
