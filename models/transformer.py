"""A pretrained encoder fine-tuned on labelled petitions: one more view of the ranker, where it earns its place.

Any encoder that `transformers` reads as a sequence classifier will do, from a local folder or by its hub name. Training
takes torch; serving takes the exported graph in eight bits and `onnxruntime`, or torch where there is no graph. A saved
transformer is a folder in the layout of `save_pretrained` with `minqing.json` beside it.
"""

from __future__ import annotations

import json
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
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
#: Batches among which rows are sorted by length in training: near lengths together, yet another mixture each epoch.
_BUCKET_BATCHES = 16
_HEAD_RATE = 10.0
_WARM_UP = 0.1


class TransformerError(Exception):
    """The encoder cannot be read, or a library is missing; the message says what to do."""


@dataclass(frozen=True)
class FineTuning:
    """How an encoder is fine-tuned; the defaults were chosen on issue types (benchmarks/transformer.py).

    Attributes:
        layers: first layers of the encoder that are kept, 0 for all: half of them are twice as fast and three points worse.
        frozen: first layers that stay as they were, the embeddings with them: a third faster and no worse.
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
    frozen: int = 6
    max_tokens: int = 128
    epochs: int = 4
    patience: int = 1
    batch: int = 16
    rate: float = 2e-4
    decay: float = 0.9
    smoothing: float = 0.05
    prefix: str = "query: "
    seed: int = 0


@dataclass(frozen=True)
class Epoch:
    """What one pass did: mean loss, accuracy on held-out rows (None without), rows per second."""

    number: int
    loss: float
    accuracy: float | None
    rows_per_second: float


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
        return cls(tokenizer, _torch_runner(model), settings, model)

    def scores(self, texts: Sequence[str]) -> F32:
        """Return log-probabilities, float32 of shape (texts, classes)."""
        rows = _tokens(self._tokenizer, texts, self.settings)
        out: F32 | None = None
        for batch in _by_length(rows, _SCORE_BATCH):
            logits = self._run(*_padded([rows[i] for i in batch]))
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
        self._model.save_pretrained(folder)
        self._tokenizer.save(str(folder / "tokenizer.json"))
        (folder / SETTINGS).write_text(json.dumps(asdict(self.settings), indent=1), "utf-8")
        _export(self._model, folder / GRAPH)


def fine_tune(
    texts: Sequence[str],
    y: I64,
    classes: int,
    encoder: str | Path,
    settings: FineTuning = FineTuning(),
    held_out: npt.NDArray[np.bool_] | None = None,
    heard: Callable[[Epoch], None] = lambda _: None,
) -> Transformer:
    """Fine-tune an encoder.

    Args:
        texts: n masked texts.
        y: class index of each, below `classes`.
        classes: number of classes, seen or not.
        encoder: folder or hub name of a pretrained encoder.
        settings: how.
        held_out: rows that are not learnt from and tell when to stop, shape (n,); without, all epochs are run.
        heard: told after each epoch.

    Raises:
        TransformerError: if the encoder cannot be loaded or torch is missing.
    """
    import torch

    torch.manual_seed(settings.seed)
    generator = np.random.default_rng(settings.seed)
    tokenizer, model = _pretrained(encoder, classes, settings)
    tuned = Transformer(tokenizer, _torch_runner(model), settings, model)
    rows = _tokens(tokenizer, texts, settings)
    held = np.zeros(len(rows), bool) if held_out is None else held_out
    learn, test = np.flatnonzero(~held), np.flatnonzero(held)
    optimiser = torch.optim.AdamW(_groups(model, settings), weight_decay=0.01)
    total = math.ceil(len(learn) / settings.batch) * settings.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, total))
    best, kept, since = -1.0, None, 0
    for number in range(1, settings.epochs + 1):
        loss, speed = _epoch(model, rows, y, learn, optimiser, schedule, settings, generator)
        accuracy = None
        if len(test):
            accuracy = float((tuned.scores([texts[i] for i in test.tolist()]).argmax(1) == y[test]).mean())
        heard(Epoch(number, loss, accuracy, speed))
        if accuracy is None:
            continue
        if accuracy > best:
            best, since = accuracy, 0
            kept = {name: value.detach().clone() for name, value in model.state_dict().items()}
        else:
            since += 1
            if since > settings.patience:
                break
    if kept is not None:
        model.load_state_dict(kept)
    return tuned


def _epoch(
    model: Any, rows: list[list[int]], y: I64, learn: I64, optimiser: Any, schedule: Any, settings: FineTuning, generator: np.random.Generator  # noqa: ANN401
) -> tuple[float, float]:
    """Run one pass; return the mean loss and the rows per second."""
    import time

    import torch

    started, total = time.perf_counter(), 0.0
    model.train()
    for batch in _training_batches([len(row) for row in rows], learn, settings.batch, generator):
        ids, mask = (torch.from_numpy(part) for part in _padded([rows[i] for i in batch]))
        with _autocast():
            logits = model(input_ids=ids, attention_mask=mask).logits
        loss = torch.nn.functional.cross_entropy(
            logits.float(), torch.from_numpy(y[batch]), label_smoothing=settings.smoothing
        )
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        total += loss.item() * len(batch)
    model.eval()
    return total / max(len(learn), 1), len(learn) / (time.perf_counter() - started)


def _pretrained(encoder: str | Path, classes: int, settings: FineTuning) -> tuple[Any, Any]:
    """Return the tokenizer and the encoder with a new classification layer."""
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        msg = f"fine-tuning needs torch and transformers ({error}): pip install 'minqing[transformer]'"
        raise TransformerError(msg) from error
    _quiet()
    try:
        tokenizer = AutoTokenizer.from_pretrained(encoder).backend_tokenizer
        model = AutoModelForSequenceClassification.from_pretrained(
            encoder,
            num_labels=classes,
            attention_probs_dropout_prob=0.0,  # dropout more than halves the speed on a processor and gains nothing here
            hidden_dropout_prob=0.0,
            classifier_dropout=0.1,
        )
    except (OSError, ValueError, AttributeError) as error:
        msg = f"{encoder}: no encoder that transformers can read ({error}); give a folder in the layout of save_pretrained"
        raise TransformerError(msg) from error
    model = model.to(torch.float32)
    layers = _layers(model)
    if 0 < settings.layers < len(layers):
        del layers[settings.layers :]
        model.config.num_hidden_layers = settings.layers
    _start_pooler(model)
    return tokenizer, model


def _quiet() -> None:
    """Keep transformers from warning that the classification layer is new, as it should be, and from drawing bars."""
    from transformers.utils import logging as library

    library.set_verbosity_error()  # type: ignore[no-untyped-call]
    library.disable_progress_bar()  # type: ignore[no-untyped-call]


def _layers(model: Any) -> Any:  # noqa: ANN401
    """Return the encoder's list of layers.

    Raises:
        TransformerError: if there is none.
    """
    import torch

    body = getattr(model, model.base_model_prefix)
    found = [part for part in body.modules() if isinstance(part, torch.nn.ModuleList)]
    if not found:
        msg = f"{type(model).__name__}: an encoder without a list of layers cannot be fine-tuned here"
        raise TransformerError(msg)
    return max(found, key=len)


def _start_pooler(model: Any) -> None:  # noqa: ANN401
    """Let a pooler that was not pretrained pass its input on: learning is quicker than from random weights."""
    import torch

    pooler = getattr(getattr(model, model.base_model_prefix), "pooler", None)
    dense = getattr(pooler, "dense", None)
    if dense is not None and dense.in_features == dense.out_features:
        torch.nn.init.eye_(dense.weight)
        torch.nn.init.zeros_(dense.bias)


def _groups(model: Any, settings: FineTuning) -> list[dict[str, Any]]:  # noqa: ANN401
    """Return the parameters with their rates: layers below learn slower, frozen ones not at all."""
    layers = _layers(model)
    depth = len(layers)
    groups: list[dict[str, Any]] = []
    taken: set[int] = set()
    for i, layer in enumerate(layers):
        parameters = list(layer.parameters())
        taken.update(map(id, parameters))
        if i < settings.frozen:
            for parameter in parameters:
                parameter.requires_grad_(False)
        else:
            groups.append({"params": parameters, "lr": settings.rate * settings.decay ** (depth - 1 - i)})
    body = getattr(model, model.base_model_prefix)
    below = [p for name, p in body.named_parameters() if id(p) not in taken and "pooler" not in name]
    taken.update(map(id, below))
    if settings.frozen:
        for parameter in below:
            parameter.requires_grad_(False)
    else:
        groups.append({"params": below, "lr": settings.rate * settings.decay**depth})
    head = [p for p in model.parameters() if id(p) not in taken]
    return [*groups, {"params": head, "lr": settings.rate * _HEAD_RATE}]


def _rate(step: int, total: int) -> float:
    warm = max(_WARM_UP * total, 1)
    return min(1.0, (step + 1) / warm) * max(0.0, (total - step) / total)


def _tokens(tokenizer: Any, texts: Sequence[str], settings: FineTuning) -> list[list[int]]:  # noqa: ANN401
    """Return token ids of each text, cut; line breaks and runs of space are one space."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(settings.max_tokens)
    # Tokens are at least a character on the average: what is cut anyway need not be read.
    texts = [settings.prefix + " ".join(text[: 8 * settings.max_tokens].split()) for text in texts]
    return [found.ids for found in tokenizer.encode_batch_fast(texts)]


def _padded(rows: Sequence[Sequence[int]]) -> tuple[I64, I64]:
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


def _training_batches(lengths: list[int], learn: I64, size: int, generator: np.random.Generator) -> list[list[int]]:
    """Return the rows in random batches of near length."""
    order = generator.permutation(learn).tolist()
    batches = []
    for start in range(0, len(order), size * _BUCKET_BATCHES):
        bucket = sorted(order[start : start + size * _BUCKET_BATCHES], key=lengths.__getitem__)
        batches += [bucket[at : at + size] for at in range(0, len(bucket), size)]
    return [batches[i] for i in generator.permutation(len(batches)).tolist()]


def _autocast() -> Any:  # noqa: ANN401
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


def _torch_runner(model: Any) -> Callable[[I64, I64], F32]:  # noqa: ANN401
    import torch

    def run(ids: I64, mask: I64) -> F32:
        with torch.inference_mode(), _autocast():
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
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it counts the libraries that it does not need
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
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
