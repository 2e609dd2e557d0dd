"""The founding day says what the article of 2022-06-09 says, word for word, and invents nothing."""

import csv
from pathlib import Path

FOUNDING_DAY = Path(__file__).parents[2] / "seeds" / "demo" / "founding_day"

EVENT = "首批排污权市场交易启动暨深化降碳产品价值实现战略合作签约仪式"
TITLES = {
    "agreement-1": "共同推进低碳高质量发展战略合作协议",
    "agreement-2": "河钢集团与涞源县政府降碳产品价值实现合作协议",
    "agreement-3": "河钢集团与隆化县政府降碳产品价值实现合作协议",
    "agreement-4": "河钢集团与承德县政府降碳产品价值实现合作协议",
    "agreement-5": "共同推进再制造领域降碳产品开发及促进价值实现合作协议",
    "agreement-6": "排污权抵押贷款业务合作协议",
}
_VALUE_REALISATION = (
    "降碳产品价值实现",
    "探索设立生态碳汇开发公司",
    "共同培育和开发林业及其他生态碳汇系列产品",
)
TOPICS = {
    "agreement-1": (
        "降碳产品开发与生态乡村振兴相结合",
        "钢铁产品碳足迹认证及碳排放管理平台建设",
        "CCUS技术创新及产业化",
        "打造首个钢铁企业碳中和示范",
    ),
    "agreement-2": _VALUE_REALISATION,
    "agreement-3": _VALUE_REALISATION,
    "agreement-4": _VALUE_REALISATION,
    "agreement-5": (
        "支持河间市开发再制造领域降碳产品方法学",
        "研发应用减污降碳技术",
        "试点打造实现碳中和再制造企业样板",
    ),
    "agreement-6": ("排污权抵押贷款业务合作",),
}


def rows(file: str) -> list[dict[str, str]]:
    with (FOUNDING_DAY / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def by_id(file: str) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in rows(file)}


def test_f02_event_titles_and_topics_of_the_agreements_are_those_of_the_article() -> None:
    agreements, topics = by_id("agreements.csv"), rows("agreement_topics.csv")

    assert {row["event"] for row in agreements.values()} == {EVENT}
    assert {name: row["title"] for name, row in agreements.items()} == TITLES
    for name, wanted in TOPICS.items():
        assert tuple(row["topic"] for row in topics if row["of"] == name) == wanted
    for name in ("agreement-1", "agreement-5", "agreement-6"):
        assert "title as reported" in agreements[name]["source"]


def test_f09_the_bureau_of_xiongan_bears_its_name_of_2022() -> None:
    assert by_id("organisations.csv")["xiongan"]["name"] == "雄安新区管委会生态环境局"


def test_f10_no_short_form_or_placeholder_passes_for_a_legal_name() -> None:
    organisations = by_id("organisations.csv")

    assert organisations["laiyuan"]["name"] == "涞源县人民政府"
    assert organisations["longhua"]["name"] == "隆化县人民政府"
    assert organisations["chengde-county"]["name"] == "承德县人民政府"
    assert organisations["hejian"]["name"] == "河间市人民政府"
    assert "to be confirmed" in organisations["hbis"]["source"]
    assert organisations["huadian-guan"]["demo"] == "true"


def test_f11_the_projects_bear_their_whole_names() -> None:
    assert [row["name"] for row in rows("projects.csv")] == [
        "廊坊热电厂二期项目",
        "华电京南（固安）综合能源供应项目",
        "华电香河燃气能源站项目",
    ]


def test_f12_invented_minutes_and_signers_are_marked_as_demonstration() -> None:
    people = {row["subject"]: row["demo"] for row in rows("people.csv")}

    for row in rows("signatures.csv"):
        assert row["by"].startswith("demo-")
        assert people.get(row["by"], "true") == "true"
    for row in rows("agreements.csv"):
        assert "the minutes of signing and the signers are demonstration data" in row["source"]


def test_f22_the_roles_of_the_named_firms_are_marked_as_invented_too() -> None:
    for row in rows("transfers.csv"):
        assert "买卖角色、配对、数量和价格均为虚构" in row["note"]
