"""From an fp32 network to one that multiplies in int8 with fixed ranges: from ONNX to ONNX, without training.

The ranges are fixed beforehand, not taken from each batch as dynamic quantisation does, so a message's scores never
depend on its neighbours. Channels are scaled alike before (SmoothQuant, Xiao et al. 2023). Weights take 7 of the 8
bits: without VNNI the processor adds pairs of products in 16 bits, which 8 would overflow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

SMOOTHING = 0.7  # how much of a channel's size goes from the inputs into the weights
LARGEST_WEIGHT = 63
MICROSOFT = "com.microsoft"

Batch = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class _Product:
    """A product with weights (K, N), and the bias that is added to it, if any."""

    node: onnx.NodeProto
    weights: str
    add: onnx.NodeProto | None
    bias: str


def quantise(source: Path, target: Path, batches: Iterable[Batch]) -> None:
    """Write the network at `source` in int8; `batches` (token ids and mask, each (B, T)) show what its inputs are like."""
    model = onnx.load(str(source))
    products = _products(model.graph)
    ranges = _ranges(model, list(products), batches)
    for name, group in products.items():
        _replace(model.graph, name, group, *ranges[name])
    _drop_unused(model.graph)
    model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    onnx.save(model, str(target))


def _products(graph: onnx.GraphProto) -> dict[str, list[_Product]]:
    """Return the products with constant weights by the name of their input; the small heads stay as they are."""
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    found: dict[str, list[_Product]] = {}
    for node in graph.node:
        if node.op_type == "MatMul" and min(shapes.get(node.input[1], (0,))) > 16:
            found.setdefault(node.input[0], []).append(_Product(node, node.input[1], *_bias(graph, node, shapes)))
    return found


def _bias(
    graph: onnx.GraphProto, node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]
) -> tuple[onnx.NodeProto | None, str]:
    users = [user for user in graph.node if node.output[0] in user.input]
    if len(users) == 1 and users[0].op_type == "Add":
        other = next(name for name in users[0].input if name != node.output[0])
        if len(shapes.get(other, ())) == 1:
            return users[0], other
    return None, ""


def _ranges(
    model: onnx.ModelProto, names: Sequence[str], batches: Iterable[Batch]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the least and greatest value of each channel (K,) of the named inputs, padding left out."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for ids, mask in batches:
        values = session.run(list(names), {"input_ids": ids, "attention_mask": mask})
        for name, value in zip(names, values, strict=True):
            inside = np.asarray(value)[mask > 0]
            least, most = found.get(name, (np.inf, -np.inf))
            found[name] = np.minimum(least, inside.min(axis=0)), np.maximum(most, inside.max(axis=0))
    return found


def _replace(graph: onnx.GraphProto, name: str, group: Sequence[_Product], least: np.ndarray, most: np.ndarray) -> None:
    """Quantise an input once and give it to all products with it, in their places."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    smooth = _smoothing(np.maximum(-least, most), [tensors[product.weights] for product in group])
    low, high = min(0.0, float((least / smooth).min())), max(0.0, float((most / smooth).max()))
    scale = np.float32(max(high - low, 1e-6) / 255)
    names = {part: f"{name}/{part}" for part in ("smooth", "scale", "zero", "smoothed", "int8")}
    _add(graph, {names["smooth"]: (1 / smooth).astype(np.float32), names["scale"]: np.array(scale),
                 names["zero"]: np.array(round(-low / scale), dtype=np.uint8)})  # fmt: skip
    first = list(graph.node).index(group[0].node)
    quantised = [names["smoothed"], names["scale"], names["zero"]]
    graph.node.insert(first, helper.make_node("Mul", [name, names["smooth"]], [names["smoothed"]]))
    graph.node.insert(first + 1, helper.make_node("QuantizeLinear", quantised, [names["int8"]]))
    for product in group:
        weights, scales = _to_int8(tensors[product.weights] * smooth[:, None])
        own = f"{product.node.output[0]}/weights", f"{product.node.output[0]}/weight_scale"  # weights may be shared
        _add(graph, {own[0]: weights, own[1]: scales})
        inputs = [names["int8"], own[0], names["scale"], own[1], names["zero"], "", product.bias]
        output = (product.add or product.node).output[0]
        made = helper.make_node("MatMulIntegerToFloat", inputs, [output], domain=MICROSOFT)
        graph.node.insert(list(graph.node).index(product.node), made)
        graph.node.remove(product.node)
        if product.add is not None:
            graph.node.remove(product.add)


def _smoothing(inputs: np.ndarray, weights: Sequence[np.ndarray]) -> np.ndarray:
    """Return what each channel (K,) of the input is divided by and the weights' rows are multiplied by."""
    largest = np.max([np.abs(one).max(axis=1) for one in weights], axis=0)
    found = np.maximum(inputs, 1e-5) ** SMOOTHING / np.maximum(largest, 1e-5) ** (1 - SMOOTHING)
    return found / np.exp(np.log(found).mean())


def _to_int8(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scales = np.maximum(np.abs(weights).max(axis=0), 1e-12) / LARGEST_WEIGHT
    return np.round(weights / scales).astype(np.int8), scales.astype(np.float32)


def _add(graph: onnx.GraphProto, tensors: dict[str, np.ndarray]) -> None:
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in tensors.items())


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
