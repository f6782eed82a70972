"""A pretrained encoder fine-tuned on labelled petitions: one more view of the ranker, where it earns its place.

Any encoder that `transformers` reads as a sequence classifier will do, from a local folder or by its hub name. Training
takes torch; serving takes the exported graph in eight bits and `onnxruntime`, or torch where there is no graph. A saved
transformer is a folder in the layout of `save_pretrained` with `minqing.json` beside it.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
SETTINGS, GRAPH = "minqing.json", "model.int8.onnx"
#: Rows of a batch when scoring; sorted by length, so padding is small.
_SCORE_BATCH = 32


class TransformerError(Exception):
    """The encoder cannot be read, or a library is missing; the message says what to do."""


@dataclass(frozen=True)
class FineTuning:
    """How an encoder is fine-tuned; the defaults were chosen on issue types (benchmarks/transformer.py).

    Attributes:
        layers: first layers of the encoder that are kept, 0 for all: half of them are twice as fast and three points worse.
        frozen: share of the layers, from the first, that stay as they were, the embeddings with them: a third faster, no worse.
        max_tokens: longer texts are cut.
        epochs: passes over the rows at the most.
        patience: epochs without a better score on held-out rows before training stops.
        batch: rows of a step.
        rate: learning rate of the last layer; each layer below has `decay` times that of the one above.
        smoothing: of labels, since some are wrong.
        prefix: what the encoder was trained to see before a text.
        seed: of shuffling and the new layer.
    """

    layers: int = 0
    frozen: float = 0.5
    max_tokens: int = 128
    epochs: int = 4
    patience: int = 1
    batch: int = 16
    rate: float = 2e-4
    decay: float = 0.9
    smoothing: float = 0.05
    prefix: str = ""
    seed: int = 0



class Transformer:
    """A fine-tuned classifier; `scores` gives log-probabilities of its classes."""

    def __init__(self, tokenizer: Any, run: Callable[[I64, I64], F32], settings: FineTuning, model: Any = None) -> None:  # noqa: ANN401 - torch and transformers are imported late
        self.settings = settings
        self._tokenizer = tokenizer
        self._run = run
        self._model = model

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None) -> Transformer:
        """Read a saved transformer: its graph where there is one, else with torch.

        Args:
            folder: as `save` wrote it.
            threads: processor threads of the graph; as many as there are cores by default.

        Raises:
            TransformerError: if the folder is not one, or neither onnxruntime nor torch is installed.
        """
        try:
            settings = FineTuning(**json.loads((folder / SETTINGS).read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            msg = f"{folder}: no saved transformer ({error}); train again with --encoder"
            raise TransformerError(msg) from error
        tokenizer = _fast_tokenizer(folder)
        if (folder / GRAPH).exists():
            return cls(tokenizer, _graph_runner(folder / GRAPH, threads), settings)
        model = _torch_model(folder)
        return cls(tokenizer, torch_runner(model), settings, model)

    def scores(self, texts: Sequence[str]) -> F32:
        """Return log-probabilities, float32 of shape (texts, classes)."""
        rows = token_ids(self._tokenizer, texts, self.settings)
        out: F32 | None = None
        for batch in _by_length(rows, _SCORE_BATCH):
            logits = self._run(*padded([rows[i] for i in batch]))
            if out is None:
                out = np.empty((len(rows), logits.shape[1]), np.float32)
            out[batch] = log_softmax(logits, 1)
        return np.zeros((0, 0), np.float32) if out is None else out

    def save(self, folder: Path) -> None:
        """Write weights, tokenizer and settings, and the graph in eight bits where onnx is installed.

        Raises:
            TransformerError: if this transformer was loaded as a graph: it has no weights to write.
        """
        if self._model is None:
            msg = "a transformer that was loaded as a graph cannot be saved again; copy its folder"
            raise TransformerError(msg)
        with quiet():
            self._model.save_pretrained(folder)
        self._tokenizer.save(str(folder / "tokenizer.json"))
        (folder / SETTINGS).write_text(json.dumps(asdict(self.settings), indent=1), "utf-8")
        _export(self._model, folder / GRAPH)

def token_ids(tokenizer: Any, texts: Sequence[str], settings: FineTuning) -> list[list[int]]:  # noqa: ANN401
    """Return token ids of each text, cut; line breaks and runs of space are one space."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(settings.max_tokens)
    # Tokens are at least a character on the average: what is cut anyway need not be read.
    texts = [settings.prefix + " ".join(text[: 8 * settings.max_tokens].split()) for text in texts]
    return [found.ids for found in tokenizer.encode_batch_fast(texts)]


def padded(rows: Sequence[Sequence[int]]) -> tuple[I64, I64]:
    """Return ids and mask, int64 of shape (rows, longest)."""
    longest = max(len(row) for row in rows)
    ids = np.ones((len(rows), longest), np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    return ids, mask


def _by_length(rows: list[list[int]], size: int) -> Iterator[list[int]]:
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for start in range(0, len(order), size):
        yield order[start : start + size]

@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries from drawing bars and from warnings that mean nothing to a user: what is new, what is not there."""
    from transformers.utils import logging as library

    library.set_verbosity_error()  # type: ignore[no-untyped-call]
    library.disable_progress_bar()  # type: ignore[no-untyped-call]
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def autocast() -> Any:  # noqa: ANN401
    """Return the context of mixed precision: bfloat16 where the processor multiplies it in hardware, else nothing."""
    import torch

    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.autocast("cpu", torch.bfloat16, enabled=fast)


def _fast_tokenizer(folder: Path) -> Any:  # noqa: ANN401
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises plain Exception
        msg = f"{folder / 'tokenizer.json'}: cannot be read ({error}); train again with --encoder"
        raise TransformerError(msg) from error


def _torch_model(folder: Path) -> Any:  # noqa: ANN401
    try:
        from transformers import AutoModelForSequenceClassification
    except ImportError as error:
        msg = f"{folder}: without {GRAPH} torch and transformers are needed ({error}): pip install 'minqing[transformer]'"
        raise TransformerError(msg) from error
    return AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True).eval()


def torch_runner(model: Any) -> Callable[[I64, I64], F32]:  # noqa: ANN401
    """Return the function from ids and mask, shape (rows, tokens), to logits, shape (rows, classes)."""
    import torch

    def run(ids: I64, mask: I64) -> F32:
        with torch.inference_mode(), autocast():
            logits = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
        return np.asarray(logits.float().numpy())

    return run


def _graph_runner(path: Path, threads: int | None) -> Callable[[I64, I64], F32]:
    try:
        import onnxruntime
    except ImportError as error:
        msg = f"{path}: scoring with a transformer needs onnxruntime: pip install 'minqing[transformer]'"
        raise TransformerError(msg) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(ids: I64, mask: I64) -> F32:
        return np.asarray(session.run(None, {"input_ids": ids, "attention_mask": mask})[0])

    return run


def _export(model: Any, path: Path) -> None:  # noqa: ANN401
    """Write the graph with weights in eight bits."""
    import tempfile

    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    class _Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:  # noqa: ANN401
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    ids, mask = torch.ones((2, 16), dtype=torch.int64), torch.ones((2, 16), dtype=torch.int64)  # one tensor would be one input
    rows, columns = torch.export.Dim("rows", min=1, max=4096), torch.export.Dim("columns", min=2, max=512)
    shape = {0: rows, 1: columns}
    with tempfile.TemporaryDirectory() as scratch, quiet():
        full = Path(scratch) / "full.onnx"
        torch.onnx.export(
            _Logits().eval(),
            (ids, mask),
            str(full),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_shapes=(shape, shape),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        quantize_dynamic(full, path, weight_type=QuantType.QInt8, per_channel=True)
