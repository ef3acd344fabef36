"""Builds the tokenizer of a unigram encoder: `tokenizers` objects out of pieces and scores."""

from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

BEGIN, PAD, END, UNKNOWN = "<s>", "<pad>", "</s>", "<unk>"


def build(pieces: Sequence[str], scores: Sequence[float], unknown: int) -> Tokenizer:
    """Return a tokenizer with XLM-R's pipeline.

    XLM-R was trained behind SentencePiece's `nmt_nfkc` table. The file that we read from has no
    such table; NFKC with controls dropped and white space run together gives the same tokens.
    """
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=unknown))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace(Regex(r"[\u200d\u200b\ufeff\s]+"), " "),
            normalizers.Replace(Regex(r"\p{Cc}|\u200e|\u200f|\u00ad"), ""),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always", split=False)
    ids = {piece: index for index, piece in enumerate(pieces[:UNIGRAM_SPECIALS])}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A {END}",
        special_tokens=[(BEGIN, ids[BEGIN]), (END, ids[END])],
    )
    tokenizer.add_special_tokens([BEGIN, PAD, END, UNKNOWN])
    return tokenizer


UNIGRAM_SPECIALS = 4
