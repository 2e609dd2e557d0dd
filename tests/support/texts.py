"""Texts for property tests of names and numbers."""

from hypothesis import strategies as st

ALMOST_ANY_TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        st.sampled_from(
            "住友（廊坊）ａZz9-—〔】[é ǅ\u3164\u3000\xa0\xad\u200b\r\n\t\x1c\x85\u2028"
            "\ufe0f\u0301\uf90a"
        ),
    ),
    max_size=30,
)
"""Any text that can be stored, rich in what makes names look alike."""
