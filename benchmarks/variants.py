"""From one plain fp32 bundle to its faster variants: int8, and fewer layers distilled on the seed corpus' texts."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from configs.recipe import Recipe
from configs.taxonomy import load_taxonomy
from data.clean import clean
from data.corpus import read_corpus
from data.messages import LabelledMessage
from training.answers import Answers, calibrate_on
from training.bundle import MODEL, BundleInfo, read_info
from training.distil import distil_once
from training.examples import as_examples
from training.export import export_network, write_bundle
from training.model import MessageClassifier
from training.parts import seed_parts
from training.precision import choose_precision
from training.run import seen_mix
from training.setup import Setup, make_ready

Say = Callable[[str], None]


def make_variants(plain: Path, layers: Sequence[int], epochs: int, folder: Path, say: Say) -> dict[str, Path]:
    """Return bundles by name: the plain one, its int8 form, and for each number of layers an int8 student."""
    info = read_info(plain)
    if info.precision != "fp32":
        raise SystemExit(f"{plain}: is {info.precision}; train the plain bundle with precision=fp32")
    recipe = Recipe.model_validate({**info.recipe, "distil_epochs": epochs})
    setup = make_ready(recipe)
    teacher = network_of(plain, setup)
    parts = seed_parts(row.labelled() for row in read_corpus())
    made = {"plain fp32": plain, "int8": _variant(teacher, info, setup, parts, folder / "int8")}
    for count in layers:
        own = Recipe.model_validate({**recipe.model_dump(), "layers": count})
        folder.mkdir(parents=True, exist_ok=True)
        kept, tokens = folder / f"layers-{count}.safetensors", _tokens(setup, parts[0])
        student = distil_once(teacher, setup.tokenizer, tokens, own, kept, say)
        made[f"{count} layers, int8"] = _variant(student, info, setup, parts, folder / f"layers-{count}-int8")
    return made


def network_of(bundle: Path, setup: Setup) -> MessageClassifier:
    """Return the PyTorch network of an fp32 bundle, read from its ONNX."""
    graph = onnx.load(str(bundle / MODEL)).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {name: torch.tensor(value) for name, value in tensors.items()}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in tensors:  # "/encoder/encoder/layer.0/output/dense/MatMul"
            name = ".".join(node.name.strip("/").split("/")[:-1]) + ".weight"
            weights[name] = torch.tensor(tensors[node.input[1]].T.copy())
    network = setup.new_network()
    missing = [name for name in network.state_dict() if name not in weights]
    if missing:
        raise SystemExit(f"{bundle}: its ONNX lacks {missing[0]}; only bundles of BERT-like encoders can be read back")
    network.load_state_dict({name: weights[name] for name in network.state_dict()})
    return network.eval()


def _variant(
    network: MessageClassifier, info: BundleInfo, setup: Setup,
    parts: tuple[list[LabelledMessage], list[LabelledMessage], list[LabelledMessage]], folder: Path,
) -> Path:  # fmt: skip
    """Return an int8 bundle of a network, calibrated anew on the held-out seed rows."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fit, holdout, _ = parts
    golden = [example for segment in setup.taxonomy.segments for example in segment.examples]
    path = folder.with_suffix(".onnx")
    export_network(network, setup.tokenizer, [clean(text) for text in golden], info.max_tokens, path)
    exported = choose_precision("int8", path, _tokens(setup, fit), _tokens(setup, holdout), holdout, load_taxonomy())
    answers = Answers(holdout, exported.logits, exported.doubt)
    calibration, thresholds = calibrate_on(answers, seen_mix(setup, as_examples(fit)), setup.recipe, setup.taxonomy)
    changed = {
        "calibration": calibration,
        "thresholds": thresholds,
        "precision": "int8",
        "precision_check": exported.check,
    }
    return write_bundle(exported.path, setup.tokenizer, info.model_copy(update=changed), golden, "# variant\n", folder)


def _tokens(setup: Setup, rows: Sequence[LabelledMessage]) -> list[list[int]]:
    return list(setup.tokenised(as_examples(rows))["input_ids"])
