"""Fine-tuning of a pretrained encoder on labelled petitions, on a processor, in minutes.

Rows of near length make a batch, layers below learn slower, the lowest do not learn at all, products are in bfloat16 where the
processor has it, and training stops when held-out rows gain nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.transformer import (
    FineTuning,
    Transformer,
    TransformerError,
    autocast,
    padded,
    quiet,
    token_ids,
    torch_runner,
)

I64 = npt.NDArray[np.int64]
#: Batches among which rows are sorted by length: near lengths together, yet another mixture each epoch.
_BUCKET_BATCHES = 16
_HEAD_RATE = 10.0
_WARM_UP = 0.1


@dataclass(frozen=True)
class Epoch:
    """What one pass did: mean loss, accuracy on held-out rows (None without), rows per second."""

    number: int
    loss: float
    accuracy: float | None
    rows_per_second: float

def fine_tune(
    texts: Sequence[str],
    y: I64,
    classes: int,
    encoder: str | Path,
    settings: FineTuning = FineTuning(),  # noqa: B008 - frozen
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
    tuned = Transformer(tokenizer, torch_runner(model), settings, model)
    rows = token_ids(tokenizer, texts, settings)
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
    import torch

    started, total = time.perf_counter(), 0.0
    model.train()
    for batch in _training_batches([len(row) for row in rows], learn, settings.batch, generator):
        ids, mask = (torch.from_numpy(part) for part in padded([rows[i] for i in batch]))
        with autocast():
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
    try:
        with quiet():  # it warns that the classification layer is new, as it should be
            tokenizer = AutoTokenizer.from_pretrained(encoder).backend_tokenizer
            model = AutoModelForSequenceClassification.from_pretrained(
                encoder,
                num_labels=classes,
                attention_probs_dropout_prob=0.0,  # dropout more than halves the speed here and gains nothing
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
    frozen = int(depth * settings.frozen)
    groups: list[dict[str, Any]] = []
    taken: set[int] = set()
    for i, layer in enumerate(layers):
        parameters = list(layer.parameters())
        taken.update(map(id, parameters))
        if i < frozen:
            for parameter in parameters:
                parameter.requires_grad_(False)
        else:
            groups.append({"params": parameters, "lr": settings.rate * settings.decay ** (depth - 1 - i)})
    body = getattr(model, model.base_model_prefix)
    below = [p for name, p in body.named_parameters() if id(p) not in taken and "pooler" not in name]
    taken.update(map(id, below))
    if frozen:
        for parameter in below:
            parameter.requires_grad_(False)
    else:
        groups.append({"params": below, "lr": settings.rate * settings.decay**depth})
    head = [p for p in model.parameters() if id(p) not in taken]
    return [*groups, {"params": head, "lr": settings.rate * _HEAD_RATE}]


def _rate(step: int, total: int) -> float:
    warm = max(_WARM_UP * total, 1)
    return min(1.0, (step + 1) / warm) * max(0.0, (total - step) / total)

def _training_batches(lengths: list[int], learn: I64, size: int, generator: np.random.Generator) -> list[list[int]]:
    """Return the rows in random batches of near length."""
    order = generator.permutation(learn).tolist()
    batches = []
    for start in range(0, len(order), size * _BUCKET_BATCHES):
        bucket = sorted(order[start : start + size * _BUCKET_BATCHES], key=lengths.__getitem__)
        batches += [bucket[at : at + size] for at in range(0, len(bucket), size)]
    return [batches[i] for i in generator.permutation(len(batches)).tolist()]
