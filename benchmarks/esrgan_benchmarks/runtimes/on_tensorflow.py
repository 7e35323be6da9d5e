"""TensorFlow on a SavedModel, on the CPU."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from esrgan_benchmarks.runtimes.base import HostSession, Runtime, Session, Setting
from esrgan_bridge.parity.probes import Batch


class TensorFlow(Runtime):
    """tensorflow, on the graph that a route of `esrgan convert` made.

    Args:
        route: "tf" (this project's own lowering) or "onnx-tf" (the package of that name).
    """

    isas = ("avx2",)

    def __init__(self, route: str) -> None:
        self.name = "tensorflow" if route == "tf" else f"tensorflow-{route}"
        self.needs = "tf" if route == "tf" else f"tf-{route}"
        self._route = route

    def missing(self) -> str | None:
        if find_spec("tensorflow") is None:
            return 'tensorflow is not installed: pip install "esrgan-torch[bridge]"'
        if self._route == "onnx-tf":
            from esrgan_bridge.errors import MissingRuntimeError
            from esrgan_bridge.onnx_tf.setup import find_python

            try:
                find_python()
            except MissingRuntimeError as error:
                return str(error)
        return None

    def open(self, setting: Setting) -> Session:
        return _TensorFlowSession(setting, self.needs, "NHWC" if self._route == "tf" else "NCHW")


class _TensorFlowSession(HostSession):
    def __init__(self, setting: Setting, folder: str, layout: str) -> None:
        # quieter, and no GPU: these rows are the CPU's
        os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        self._tensorflow: Any = import_module("tensorflow")
        self._tensorflow.config.threading.set_intra_op_parallelism_threads(setting.threads)
        self._tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        # kept: its variables die with it
        self._model: Any = self._tensorflow.saved_model.load(str(setting.artefacts / folder))
        self._function: Any = self._model.signatures["serving_default"]
        self._layout = layout
        self.facts = {"tensorflow": str(self._tensorflow.__version__)}
        self._batch: Any = None
        self._result: Any = None

    def feed(self, batch: Batch) -> None:
        ((name, _),) = self._function.structured_input_signature[1].items()
        values = batch if self._layout == "NHWC" else batch.transpose(0, 3, 1, 2)
        self._batch = {name: self._tensorflow.constant(values)}

    def compute(self) -> None:
        (result,) = self._function(**self._batch).values()
        self._result = result.numpy()

    def answer(self) -> Batch:
        values = self._result if self._layout == "NHWC" else self._result.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(values, np.float32)
