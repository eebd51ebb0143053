"""A network with its compiled functions: what runs it forwards, and what trains it.

The network can be entered above its lowest conv layers, with what they make of the images; what is
below is then left out of the computation. `below` counts those layers: 0 enters with images, 13 with
the pooled features that the head takes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from vgglab.architecture import BLOCKS, CONV_NAMES
from vgglab.network import build_network, initialise
from vgglab.experiment import CONV_LAYERS, Experiment

KEPT_NETWORKS = 3
KEPT_FUNCTIONS = 16  # of one network
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7  # of Adam, as in Keras


class Compiled:
    """A model and the functions traced from it; each is traced when first needed and kept.

    Tracing takes a second or more, often longer than an epoch. Learning rate and L2 are arguments of
    a training step for this reason, and not parts of it.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self._functions: OrderedDict[tuple, Callable] = OrderedDict()
        self._adam = _Adam()

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

    def train_steps(self, below: int, unfreeze: int, dropout: float) -> Callable:
        """A function that makes an Adam step for each batch of what it is given.

        It takes images or prefix outputs, targets (n, classes), batch size, learning rate and L2, and
        returns the sum of the losses of all n and how many of them were right.
        """
        key = ("train", below, unfreeze, dropout)
        return self._kept(key, lambda: self._trace_train_steps(below, unfreeze))

    def restart_optimizer(self) -> None:
        """Forget Adam's moments, as a new phase does."""
        self._adam.restart()

    def _kept(self, key: tuple, trace: Callable[[], Callable]) -> Callable:
        if key not in self._functions:
            self._functions[key] = trace()
        self._functions.move_to_end(key)
        while len(self._functions) > KEPT_FUNCTIONS:
            self._functions.popitem(last=False)
        return self._functions[key]

    def _trace_train_steps(self, below: int, unfreeze: int) -> Callable:
        network = keras.Model(self.boundary(below), self.model.output)
        learning = [
            self.model.get_layer(name)
            for name in (*CONV_NAMES[CONV_LAYERS - unfreeze :], "fc", "predictions")
        ]
        variables = [variable.value for layer in learning for variable in (layer.kernel, layer.bias)]
        penalised = self.model.get_layer("fc").kernel
        apply = self._adam.applier(variables)

        def step(x, targets, learning_rate, l2):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(variables)
                probabilities = network(x, training=True)
                loss = tf.reduce_mean(keras.losses.categorical_crossentropy(targets, probabilities))
                loss += l2 * tf.reduce_sum(tf.square(penalised.value))
            apply(tape.gradient(loss, variables), learning_rate)
            right = tf.argmax(probabilities, axis=1) == tf.argmax(targets, axis=1)
            return loss * tf.cast(tf.shape(x)[0], tf.float32), tf.reduce_sum(tf.cast(right, tf.float32))

        signature = [_spec(self.boundary(below)), tf.TensorSpec((None, None)), tf.TensorSpec((), tf.int32)]
        signature += [tf.TensorSpec(()), tf.TensorSpec(())]

        # XLA (`jit_compile`) slows steps down on a CPU and lengthens the first.
        @tf.function(input_signature=signature, jit_compile=False)
        def steps(x, targets, batch_size, learning_rate, l2):
            loss, right = 0.0, 0.0
            for start in tf.range(0, tf.shape(x)[0], batch_size):
                batch = slice(start, start + batch_size)
                batch_loss, batch_right = step(x[batch], targets[batch], learning_rate, l2)
                loss, right = loss + batch_loss, right + batch_right
            return loss, right

        return steps


def blocks(below: int) -> list[int]:
    """The blocks that lie wholly or in part above the lowest `below` conv layers, from 1 to 5."""
    tops = [sum(convs for _, convs in BLOCKS[:block]) for block in range(1, len(BLOCKS) + 1)]
    return [block for block, top in enumerate(tops, start=1) if top > below]


class _Adam:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980), one operation a variable.

    Keras's own makes about ten of each; with thirty variables that is a tenth of a small network's step.
    """

    def __init__(self) -> None:
        self._moments: dict[int, tuple[tf.Variable, tf.Variable]] = {}
        self._steps = tf.Variable(0.0)

    def restart(self) -> None:
        self._steps.assign(0.0)
        for moments in self._moments.values():
            for moment in moments:
                moment.assign(tf.zeros_like(moment))

    def applier(self, variables: list[tf.Variable]) -> Callable[[list[tf.Tensor], tf.Tensor], None]:
        for variable in variables:
            if id(variable) not in self._moments:
                self._moments[id(variable)] = tuple(
                    tf.Variable(tf.zeros_like(variable), trainable=False) for _ in range(2)
                )

        def apply(gradients: list[tf.Tensor], learning_rate: tf.Tensor) -> None:
            steps = self._steps.assign_add(1.0)
            powers = dict(beta1_power=BETA_1**steps, beta2_power=BETA_2**steps)
            for variable, gradient in zip(variables, gradients):
                first, second = self._moments[id(variable)]
                tf.raw_ops.ResourceApplyAdam(
                    var=variable.handle,
                    m=first.handle,
                    v=second.handle,
                    lr=learning_rate,
                    beta1=BETA_1,
                    beta2=BETA_2,
                    epsilon=EPSILON,
                    grad=gradient,
                    **powers,
                )

        return apply


def _forward(inputs: keras.KerasTensor, outputs: list[keras.KerasTensor]) -> Callable:
    network = keras.Model(inputs, outputs)

    @tf.function(input_signature=[_spec(inputs)], jit_compile=False)
    def forward(x):
        return tf.nest.flatten(network(x, training=False))

    return forward


def _spec(tensor: keras.KerasTensor) -> tf.TensorSpec:
    return tf.TensorSpec(tensor.shape, tensor.dtype)


_POOL: OrderedDict[tuple, Compiled] = OrderedDict()


@contextmanager
def borrowed(experiment: Experiment, classes: int) -> Iterator[Compiled]:
    """A network for one run, its weights where the experiment starts, its functions kept from earlier runs.

    Networks of one shape are used again, because building them anew takes seconds and Keras does not
    give all of their memory back (keras-team/keras#20552).
    """
    shape = (experiment.backbone, experiment.image_size, classes, experiment.precision)
    compiled = _POOL.pop(shape, None) or Compiled(build_network(*shape))
    try:
        initialise(compiled.model, experiment)
        yield compiled
    finally:
        _POOL[shape] = compiled
        while len(_POOL) > KEPT_NETWORKS:
            _POOL.popitem(last=False)
