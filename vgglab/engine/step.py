"""A network with its compiled functions: what runs it forwards, and what trains it.

The network can be entered above its lowest conv layers, with what they make of the images; what is
below is then left out of the computation. `below` counts those layers: 0 enters with images, 13 with
the pooled features that the head takes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping

import keras
import numpy as np
import tensorflow as tf

from vgglab.architecture import BLOCKS, CONV_NAMES
from vgglab.datasets import Split
from vgglab.engine.checkpoint import Arrays, learning, part, under
from vgglab.engine.control import Control
from vgglab.engine.objective import SIGNATURE, cross_entropy, sum_of_squares
from vgglab.experiment import CONV_LAYERS, Experiment, traced_from
from vgglab.network import dropouts

KEPT_FUNCTIONS = 16  # of one network
IMAGES_A_CALL = 64  # in evaluation
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7  # of Adam, as in Keras


class Compiled:
    """A model and the functions traced from it; each is traced when first needed and kept.

    Tracing takes a second or more, often longer than an epoch. The learning rate and the objective are arguments of a
    training step for this reason, and not parts of it.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self._functions: OrderedDict[tuple, Callable] = OrderedDict()
        self._adam = _Adam()

    @property
    def traced(self) -> int:
        """How many functions are kept."""
        return len(self._functions)

    def boundary(self, below: int) -> keras.KerasTensor:
        """What the network computes from images with its lowest `below` conv layers."""
        if below == 0:
            return self.model.input
        above = CONV_NAMES[below] if below < CONV_LAYERS else "fc"
        return self.model.get_layer(above).input

    def prefix(self, below: int) -> Callable[[tf.Tensor], list[tf.Tensor]]:
        """Images → what the lowest `below` conv layers make of them, a list of one."""
        return self._kept(("prefix", below), lambda: _forward(self.model.input, [self.boundary(below)]))

    def predict(self, below: int) -> Callable[[tf.Tensor], list[tf.Tensor]]:
        """Images or prefix outputs → probabilities, and the pooled features of the blocks of `blocks(below)`."""
        return self._kept(("predict", below), lambda: self._trace_predict(below))

    def _trace_predict(self, below: int) -> Callable:
        pools = [self.model.get_layer(f"block{block}_pool").output for block in blocks(below)]
        pooled = [keras.ops.mean(keras.ops.cast(pool, "float32"), axis=(1, 2)) for pool in pools]
        return _forward(self.boundary(below), [self.model.output, *pooled])

    def train_steps(self, below: int, phase: Experiment) -> Callable:
        """A function that makes an Adam step for each batch of what it is given.

        It takes images or prefix outputs, targets (n, classes), batch size, a learning rate for each batch and what
        `objective_of` returns; it returns the sum of the losses of all n and how many were right.
        """
        # Weight decay is left out of a step while it is off: on thirteen layers it costs some hundredths of one.
        decays = phase.weight_decay > 0
        key = ("train", below, decays, *traced_from(phase))
        return self._kept(key, lambda: self._trace_train_steps(below, phase.unfreeze, decays))

    def restart_optimizer(self) -> None:
        """Forget Adam's moments, as a new phase does."""
        self._adam.restart()

    def state(self) -> Arrays:
        """Of the optimizer and of the random streams of dropout, for a checkpoint."""
        streams = {layer.name: layer.seed_generator.state.numpy() for layer in dropouts(self.model)}
        return under("adam", self._adam.state(learning(self.model))) | under("dropout", streams)

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` returned, in the same phase, whose `train_steps` were asked for."""
        self._adam.set_state(part("adam", state))
        for layer in dropouts(self.model):
            layer.seed_generator.state.assign(part("dropout", state)[layer.name])

    def _kept(self, key: tuple, trace: Callable[[], Callable]) -> Callable:
        if key not in self._functions:
            self._functions[key] = trace()
        self._functions.move_to_end(key)
        while len(self._functions) > KEPT_FUNCTIONS:
            self._functions.popitem(last=False)
        return self._functions[key]

    def _trace_train_steps(self, below: int, unfreeze: int, decays: bool) -> Callable:
        above = keras.Model(self.boundary(below), self.model.output)
        frozen = CONV_NAMES[: CONV_LAYERS - unfreeze]
        learning = [layer for layer in self.model.layers if layer.count_params() and layer.name not in frozen]
        variables = {each.path: each.value for layer in learning for each in (layer.kernel, layer.bias)}
        kernels = [layer.kernel.value for layer in learning]
        first_dense = self.model.get_layer("fc").kernel.value
        apply = self._adam.applier(variables)

        def step(
            x: tf.Tensor, targets: tf.Tensor, learning_rate: tf.Tensor, objective: Mapping[str, tf.Tensor]
        ) -> tuple[tf.Tensor, tf.Tensor]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(list(variables.values()))
                probabilities = above(x, training=True)
                loss = cross_entropy(targets, probabilities, objective)
                loss += objective["l2"] * tf.reduce_sum(tf.square(first_dense))
                if decays:
                    loss += objective["weight_decay"] * sum_of_squares(kernels)
            apply(tape.gradient(loss, variables), learning_rate)
            right = tf.argmax(probabilities, axis=1) == tf.argmax(targets, axis=1)
            return loss * tf.cast(tf.shape(x)[0], tf.float32), tf.reduce_sum(tf.cast(right, tf.float32))

        signature = [_spec(self.boundary(below)), tf.TensorSpec((None, None)), tf.TensorSpec((), tf.int32)]
        signature += [tf.TensorSpec((None,)), SIGNATURE]

        # XLA (`jit_compile`) slows steps down on a CPU and lengthens the first; autograph, which writes such a loop
        # by itself, took a quarter of the tracing.
        @tf.function(input_signature=signature, jit_compile=False, autograph=False)
        def steps(
            x: tf.Tensor,
            targets: tf.Tensor,
            batch_size: tf.Tensor,
            rates: tf.Tensor,
            objective: Mapping[str, tf.Tensor],
        ) -> tuple[tf.Tensor, tf.Tensor]:
            def one_batch(start: tf.Tensor, loss: tf.Tensor, right: tf.Tensor) -> tuple[tf.Tensor, ...]:
                batch = slice(start, start + batch_size)
                batch_loss, batch_right = step(
                    x[batch], targets[batch], rates[start // batch_size], objective
                )
                return start + batch_size, loss + batch_loss, right + batch_right

            count = tf.shape(x)[0]
            _, loss, right = tf.while_loop(lambda start, *_: start < count, one_batch, (0, 0.0, 0.0))
            return loss, right

        return steps


def blocks(below: int) -> list[int]:
    """The blocks that lie wholly or in part above the lowest `below` conv layers, from 1 to 5."""
    tops = [sum(convs for _, convs in BLOCKS[:block]) for block in range(1, len(BLOCKS) + 1)]
    return [block for block, top in enumerate(tops, start=1) if top > below]


def outputs(predict: Callable, split: Split, control: Control) -> tuple[np.ndarray, list[np.ndarray]]:
    """Probabilities and pooled features of all images, or features, that `predict` takes.

    Between two calls it obeys `control`.
    """
    calls = []
    for start in range(0, len(split), IMAGES_A_CALL):
        control.check()
        part = as_input(split.images[start : start + IMAGES_A_CALL])
        calls.append([output.numpy() for output in predict(part)])
    probabilities, *pooled = (np.concatenate(parts) for parts in zip(*calls))
    return probabilities, pooled


def as_input(array: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Images of whole numbers as the floats that the network takes; everything else as it is."""
    tensor = tf.convert_to_tensor(array)
    return tf.cast(tensor, tf.float32) if tensor.dtype.is_integer else tensor


class _Adam:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980), one operation a variable.

    Keras's own makes about ten of each, which costs a twentieth of a step of vgg16-mini's thirteen layers and a tenth
    of one with three: more than what it is ahead of PyTorch by.
    """

    def __init__(self) -> None:
        self._moments: dict[str, tuple[tf.Variable, tf.Variable]] = {}  # by the variable's path in the model
        self._steps = tf.Variable(0.0)

    def restart(self) -> None:
        self._steps.assign(0.0)
        for moments in self._moments.values():
            for moment in moments:
                moment.assign(tf.zeros_like(moment))

    def state(self, layers: Collection[str]) -> Arrays:
        """The number of steps and the moments of these layers' variables."""
        moments = {path: pair for path, pair in self._moments.items() if path.split("/")[-2] in layers}
        first = {path: pair[0].numpy() for path, pair in moments.items()}
        second = {path: pair[1].numpy() for path, pair in moments.items()}
        return dict(steps=self._steps.numpy(), **under("first", first), **under("second", second))

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        self._steps.assign(state["steps"])
        for place, name in enumerate(("first", "second")):
            for path, moment in part(name, state).items():
                self._moments[path][place].assign(moment)

    def applier(
        self, variables: Mapping[str, tf.Variable]
    ) -> Callable[[Mapping[str, tf.Tensor], tf.Tensor], None]:
        for path, variable in variables.items():
            if path not in self._moments:
                first, second = (tf.Variable(tf.zeros_like(variable), trainable=False) for _ in range(2))
                self._moments[path] = first, second

        def apply(gradients: Mapping[str, tf.Tensor], learning_rate: tf.Tensor) -> None:
            steps = self._steps.assign_add(1.0)
            powers = dict(beta1_power=BETA_1**steps, beta2_power=BETA_2**steps)
            for path, variable in variables.items():
                first, second = self._moments[path]
                tf.raw_ops.ResourceApplyAdam(
                    var=variable.handle,
                    m=first.handle,
                    v=second.handle,
                    lr=learning_rate,
                    beta1=BETA_1,
                    beta2=BETA_2,
                    epsilon=EPSILON,
                    grad=gradients[path],
                    **powers,
                )

        return apply


def _forward(inputs: keras.KerasTensor, outputs: list[keras.KerasTensor]) -> Callable:
    part = keras.Model(inputs, outputs)

    @tf.function(input_signature=[_spec(inputs)], jit_compile=False, autograph=False)
    def forward(x: tf.Tensor) -> list[tf.Tensor]:
        return tf.nest.flatten(part(x, training=False))

    return forward


def _spec(tensor: keras.KerasTensor) -> tf.TensorSpec:
    return tf.TensorSpec(tensor.shape, tensor.dtype)
