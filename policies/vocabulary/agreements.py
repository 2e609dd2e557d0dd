"""The words for cooperation agreements."""

from policies.vocabulary.shared import VIEW, own_fact, stage_fact
from policies.word_types import APPROVE, INITIATE, ConceptWords, FactSpec, KindSpec, Text, Verb

KINDS: dict[str, KindSpec] = {
    "Agreement": KindSpec(
        Text("cooperation agreement", "合作协议"),
        (
            VIEW,
            Verb("draft", Text("draft", "起草"), duty=INITIATE, creates=True),
            Verb("sign", Text("sign", "签署"), duty=INITIATE, creates_task=True),
            Verb("withdraw", Text("withdraw", "撤回"), duty=INITIATE),
            Verb(
                "bring_into_force",
                Text("bring into force", "生效"),
                duty=INITIATE,
                creates_task=True,
            ),
            Verb("plan_milestone", Text("plan a milestone of", "设定里程碑"), duty=INITIATE),
            Verb(
                "reach_milestone",
                Text("record a reached milestone of", "登记里程碑完成"),
                duty=INITIATE,
            ),
            Verb("complete", Text("complete", "履行完毕"), duty=INITIATE),
            Verb("terminate", Text("terminate", "终止"), duty=APPROVE),
        ),
    ),
}

FACTS: dict[str, FactSpec] = {
    "own_signature_given": FactSpec(
        Text("your organisation has signed", "本单位已签署"),
        Text("your organisation has not signed yet", "本单位尚未签署"),
    ),
    "party": own_fact("a party", "签约方"),
    "stage_signed": stage_fact("signed by all", "各方已签署"),
}

WORDS = ConceptWords(KINDS, FACTS)
