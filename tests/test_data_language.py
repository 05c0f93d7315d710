"""Languages the model does not know are named; English is not, however short or odd, unless it doubts too."""

import pytest

from data.language import is_unsupported


@pytest.mark.parametrize("text", [
    "Wo ist mein Paket?", "Où est ma commande ?", "Mein Internet geht nicht", "ho un problema con il mio ordine",
    "waar is mijn pakket", "meu pedido nao chegou",
])  # fmt: skip
def test_a_short_text_is_named_only_where_the_model_doubts_it_too(text: str):
    assert is_unsupported(text, in_doubt=True) and not is_unsupported(text)


@pytest.mark.parametrize(
    "text", ["gm fam", "lol", "cb radio", "order status", "help me pls", "so do i [grinning face]", "[number]"]
)
def test_short_english_is_not_another_language_even_in_doubt(text: str):
    assert not is_unsupported(text, in_doubt=True)


@pytest.mark.parametrize(
    "text", ["ваш роутер не работает", "El servicio es horrible y nadie me contesta desde ayer por la tarde"]
)
def test_a_clear_one_needs_no_doubt(text: str):
    assert is_unsupported(text) and is_unsupported(text, in_doubt=True)


def test_english_with_foreign_words_stays_english():
    assert not is_unsupported("the package with the Köttbullar still has not arrived, where is it?", in_doubt=True)
