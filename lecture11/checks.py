"""What a public function accepts is what its signature says: read once, checked at every call.

``@checked`` goes above a function. An argument that is of another kind than its annotation, a tensor of another dtype
or shape, an empty tensor, a number that is none: each raises an error that names the argument and says what was given
and what is expected. Sizes have one meaning in a call: ``x`` and ``eps`` that are both ``Float[Tensor, "batch *dims"]``
must be of one shape, so that nothing is broadcast without a word. Where several draws are meant, the signature says so
(``"k batch latents"``).

That looks at no number in a tensor, so that nothing waits for a GPU. ``signed_pixels``, ``drawable`` and ``finite`` do:
the docstrings of those that call them say so.
"""

import collections.abc
import functools
import inspect
import math
import numbers
import operator
import types
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import numpy as np
import torch
from torch import Tensor, nn

# How many of something: an integer, at least 1.
Count = Annotated[int, "at least 1"]
# A number that is neither infinite nor not-a-number.
Finite = Annotated[float, "finite"]

# The size of each named axis ("*dims": several), and the argument it comes from.
Sizes = dict[str, tuple[int | torch.Size, str]]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Kind:
    """A kind of argument.

    Attributes:
        expects: what it is, to follow 'must be'.
        read: from name, value and the sizes so far to the value as the function takes it. Raises TypeError for another
            kind of thing, ValueError for one of this kind that will not do.
    """

    expects: str
    read: Callable[[str, Any, Sizes], Any]


def checked(function: F) -> F:
    """The function, which first checks its arguments against its signature.

    The fields of a dataclass count too, of an argument as of ``self``: ``x: Float[Tensor, "batch d"]`` beside a mixture
    must have the ``d`` of its ``means: Float[Tensor, "m d"]``. Integers of NumPy become ints, and integers where a real
    number is meant floats.

    Raises:
        TypeError: here, of an annotation that it cannot read; in a call, an argument of another kind or dtype.
        ValueError: in a call, a shape that does not fit, an empty tensor, a number or choice that is not allowed.
    """
    parameters = inspect.signature(function).parameters.values()
    annotated = [p for p in parameters if p.annotation is not p.empty and p.kind is not p.VAR_KEYWORD]
    kinds = {p.name: kind_of(p.annotation) for p in annotated}
    positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
    is_method = positional[:1] == ["self"]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        sizes: Sizes = {}
        if is_method and args:
            _read_fields(args[0], sizes)
        read = []
        for i, value in enumerate(args):
            name = positional[i] if i < len(positional) else rest
            read.append(kinds[name].read(name, value, sizes) if name in kinds else value)
        for name, value in kwargs.items():
            if name in kinds:
                kwargs[name] = kinds[name].read(name, value, sizes)
        return function(*read, **kwargs)

    return call  # type: ignore[return-value]


def _read_fields(instance: Any, sizes: Sizes) -> None:
    for name, kind in _field_kinds(type(instance)):
        kind.read(name, getattr(instance, name), sizes)


_FIELDS: dict[type, list[tuple[str, Kind]]] = {}


def _field_kinds(owner: type) -> list[tuple[str, Kind]]:
    if owner not in _FIELDS:
        _FIELDS[owner] = [(f.name, kind_of(f.type)) for f in fields(owner)] if is_dataclass(owner) else []
    return _FIELDS[owner]


def kind_of(annotation: Any) -> Kind:
    """The kind of argument that an annotation stands for.

    Raises:
        TypeError: an annotation that is not known here: better now than an argument that nobody checks.
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "dim_str"):
        return _tensor(annotation)
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if origin is Annotated:
        return _NARROWED[inner[1]](kind_of(inner[0]))
    if origin in (Union, types.UnionType):
        return _union([kind_of(alternative) for alternative in inner], inner)
    if origin is Literal:
        return _choice(inner)
    if origin is collections.abc.Callable:
        return _instance("a function", callable)
    if origin is collections.abc.Sequence:
        return _sequence(kind_of(inner[0]))
    if origin is tuple:
        return _tuple([kind_of(entry) for entry in inner])
    if origin is collections.abc.Mapping:
        return _mapping(kind_of(inner[1]))
    if origin is type:
        return _instance(f"a class, a kind of {inner[0].__name__}", lambda v: isinstance(v, type))
    if isinstance(annotation, type):
        return _instance(f"a {annotation.__module__.split('.')[0]} {annotation.__name__}", annotation)
    raise TypeError(f"no check is known for the annotation {annotation!r}")


def wrong_kind(name: str, expects: str, value: Any) -> TypeError:
    """The error for an argument of another kind, with what to do where that is plain."""
    if isinstance(value, Tensor):
        given, remedy = f"a tensor of {value.dtype}", ""
        if not (value.is_floating_point() or value.is_complex()) and "real numbers" in expects:
            remedy = (
                f": take {name}.float(); an image of bytes becomes {name}.float() / 255 in [0, 1], or "
                f"{name}.float() / 127.5 - 1 in [-1, 1]"
            )
        elif value.is_complex():
            remedy = f": take {name}.real"
        elif "integers" in expects:
            remedy = f": take {name}.long()"
    elif isinstance(value, np.ndarray):
        given, remedy = f"a NumPy array of {value.dtype}", f": take torch.from_numpy({name})"
    elif isinstance(value, list | tuple) and "tensor" in expects:
        given, remedy = f"a {type(value).__name__}", f": take torch.tensor({name})"
    else:
        given, remedy = ("None" if value is None else f"the {type(value).__name__} {value!r:.60}"), ""
    return TypeError(f"{name} must be {expects}, got {given}{remedy}")


def _instance(expects: str, test: Any) -> Kind:
    passes = (lambda value: isinstance(value, test)) if isinstance(test, type) else test
    has_sizes = isinstance(test, type) and is_dataclass(test)

    def read(name: str, value: Any, sizes: Sizes) -> Any:
        if not passes(value):
            raise wrong_kind(name, expects, value)
        if has_sizes:
            _read_fields(value, sizes)
        return value

    return Kind(expects, read)


def _tensor(annotation: Any) -> Kind:
    real = "float32" in annotation.dtypes
    expects = f"a tensor of {'real numbers' if real else 'integers'}"
    match = _shape(annotation.dim_str.split())

    def read(name: str, value: Any, sizes: Sizes) -> Tensor:
        if not isinstance(value, Tensor):
            raise wrong_kind(name, expects, value)
        dtype = value.dtype
        if dtype.is_floating_point != real or dtype.is_complex or dtype == torch.bool:
            raise wrong_kind(name, expects, value)
        match(name, value.shape, sizes)
        if real and 0 in value.shape:
            raise ValueError(f"{name} is empty, its shape is {tuple(value.shape)}: at least one example is needed")
        return value

    return Kind(expects, read)


def _shape(axes: list[str]) -> Callable[[str, torch.Size, Sizes], None]:
    """From name, shape and the sizes so far: binds the axes, or raises ValueError where a size is another."""
    several = next((i for i, axis in enumerate(axes) if axis.startswith("*") or axis == "..."), None)
    before = axes if several is None else axes[:several]
    after = [] if several is None else axes[several + 1 :]

    def match(name: str, shape: torch.Size, sizes: Sizes) -> None:
        last = len(shape) - len(after)
        fits = len(before) == last if several is None else len(before) <= last
        if fits:
            pairs: list[tuple[str, Any]] = [*zip(before, shape, strict=False), *zip(after, shape[last:], strict=True)]
            if several is not None:
                pairs.append((axes[several], shape[len(before) : last]))
            for axis, size in pairs:
                if axis.isdigit():
                    fits = fits and size == int(axis)
                elif axis not in ("_", "..."):
                    fits = fits and size == sizes.setdefault(axis, (size, name))[0]
        if not fits:
            known = {a: f"{a} = {_plain(sizes[a][0])} as in {sizes[a][1]}" for a in axes if a in sizes}
            others = [text for a, text in known.items() if sizes[a][1] != name]
            where = f", where {', '.join(others)}" if others else ""
            raise ValueError(f"{name} must have the shape ({', '.join(axes)}){where}; got {tuple(shape)}")

    return match


def _plain(size: Any) -> Any:
    return tuple(size) if isinstance(size, torch.Size) else size


def _integer(name: str, value: Any, sizes: Sizes) -> int:
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise wrong_kind(name, "an integer", value)
    return operator.index(value)


def _real(name: str, value: Any, sizes: Sizes) -> float | Tensor:
    if isinstance(value, Tensor) and value.ndim == 0 and value.is_floating_point():
        return value  # as it is: a gradient may flow through it
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise wrong_kind(name, "a real number", value)
    return float(value)


def _at_least_1(kind: Kind) -> Kind:
    def read(name: str, value: Any, sizes: Sizes) -> Any:
        value = kind.read(name, value, sizes)
        if value < 1:
            raise ValueError(f"{name} is a count, at least 1; got {value}")
        return value

    return Kind(kind.expects, read)


def _finite(kind: Kind) -> Kind:
    def read(name: str, value: Any, sizes: Sizes) -> Any:
        value = kind.read(name, value, sizes)
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number, got {value}")
        return value

    return Kind(kind.expects, read)


def _choice(allowed: tuple) -> Kind:
    expects = " or ".join(repr(choice) for choice in allowed)

    def read(name: str, value: Any, sizes: Sizes) -> Any:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"{name} must be {expects}, got {value!r:.60}")
        return value

    return Kind(expects, read)


def _tuple(items: list[Kind]) -> Kind:
    expects = f"a tuple of {len(items)}: {', '.join(item.expects for item in items)}"

    def read(name: str, value: Any, sizes: Sizes) -> Any:
        if not isinstance(value, tuple) or len(value) != len(items):
            raise wrong_kind(name, expects, value)
        return tuple(k.read(f"{name}[{i}]", v, sizes) for i, (k, v) in enumerate(zip(items, value, strict=True)))

    return Kind(expects, read)


def _sequence(item: Kind) -> Kind:
    expects = f"a list, each entry {item.expects}"

    def read(name: str, value: Any, sizes: Sizes) -> Any:
        if isinstance(value, Tensor | np.ndarray) and value.ndim > 0:
            value = value.tolist()
        elif isinstance(value, str | bytes) or not isinstance(value, collections.abc.Sequence):
            raise wrong_kind(name, expects, value)
        entries = [item.read(f"{name}[{i}]", entry, sizes) for i, entry in enumerate(value)]
        return tuple(entries) if isinstance(value, tuple) else entries

    return Kind(expects, read)


def _mapping(item: Kind) -> Kind:
    expects = f"a mapping, each value {item.expects}"

    def read(name: str, value: Any, sizes: Sizes) -> Any:
        if not isinstance(value, collections.abc.Mapping):
            raise wrong_kind(name, expects, value)
        return {key: item.read(f"{name}[{key!r}]", entry, {}) for key, entry in value.items()}

    return Kind(expects, read)


def _union(kinds: list[Kind], alternatives: tuple) -> Kind:
    expects = " or ".join(dict.fromkeys(kind.expects for kind in kinds if kind is not _NONE))
    of_tensors = [k for k, a in zip(kinds, alternatives, strict=True) if hasattr(a, "dim_str")]
    # An integer stays one where both are allowed.
    others = sorted((k for k in kinds if k not in of_tensors), key=lambda k: k is not _SIMPLE[int])

    def read(name: str, value: Any, sizes: Sizes) -> Any:
        wrong_value = ""
        for kind in of_tensors + others if isinstance(value, Tensor) else others:
            found = dict(sizes)
            try:
                value = kind.read(name, value, found)
            except ValueError as error:
                # Of the right kind, and no other alternative may take it. The text alone: the error itself would be
                # part of a cycle with this frame, and keep the tensor alive.
                wrong_value = str(error)
            except TypeError:
                continue
            else:
                sizes.update(found)
                return value
        raise ValueError(wrong_value) if wrong_value else wrong_kind(name, expects, value)

    return Kind(expects, read)


_NONE = _instance("None", lambda value: value is None)
_SIMPLE = {
    int: Kind("an integer", _integer),
    float: Kind("a real number", _real),
    bool: _instance("True or False", lambda value: isinstance(value, bool | np.bool_)),
    type(None): _NONE,
    object: _instance("anything", lambda value: True),
    str: _instance("a text", str),
    torch.Tensor: _instance("a tensor", torch.Tensor),
    nn.Module: _instance("a torch.nn.Module", nn.Module),
    torch.Generator: _instance("a torch.Generator, as torch.Generator().manual_seed(0) is", torch.Generator),
    torch.dtype: _instance("a torch.dtype", torch.dtype),
}
_NARROWED = {"at least 1": _at_least_1, "finite": _finite}


def of_dtype(dtype: torch.dtype | None, whose: str, **tensors: Tensor) -> None:
    """Raises TypeError if a tensor, given by name, has another dtype than the one that is computed in."""
    for name, x in tensors.items():
        if dtype is not None and x.dtype != dtype:
            raise TypeError(
                f"{name} must have the dtype of {whose}, {dtype}, got {x.dtype}: convert one of them, "
                f"{name}.to({dtype}) or .to({x.dtype}) of the other"
            )


def fits_module(module: Any, **tensors: Tensor) -> None:
    """Raises TypeError if the tensors are not of the dtype of the module's weights; under autocast PyTorch converts."""
    first = next(iter(tensors.values()))
    if isinstance(module, nn.Module) and not torch.is_autocast_enabled(first.device.type):
        weight = next((p for p in module.parameters() if p.is_floating_point()), None)
        of_dtype(None if weight is None else weight.dtype, "the model's weights", **tensors)


def generator_on(device: torch.device, generator: torch.Generator | None) -> None:
    """Raises ValueError if the generator lives on another kind of device than the numbers that it is to draw."""
    if generator is not None and generator.device.type != device.type:
        raise ValueError(
            f"generator must live where the data does, on {device}, but lives on {generator.device}: make it with "
            f"torch.Generator({str(device)!r})"
        )


def answer(name: str, out: Any, shape: tuple[int | None, ...], of: str = "") -> Tensor:
    """What a model gave, if it is a tensor of this shape, that ``of`` an argument; None stands for any size.

    Raises:
        TypeError: no tensor of real numbers.
        ValueError: another shape: it would broadcast, and a wrong model would be judged or trained without a word.
    """
    if not isinstance(out, Tensor) or not out.is_floating_point():
        raise wrong_kind(f"what {name} gives", "a tensor of real numbers", out)
    if len(out.shape) != len(shape) or any(b is not None and a != b for a, b in zip(out.shape, shape, strict=True)):
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} must give the shape {of and f'of {of}, '}({expected}), got {tuple(out.shape)}")
    return out


def finite(**tensors: Tensor) -> None:
    """Raises ValueError if a tensor, given by name, holds infinity or not-a-number; looks at the values."""
    for name, x in tensors.items():
        wrong = int((~x.isfinite()).sum())
        if wrong:
            raise ValueError(f"{name} must be finite: {wrong} of its {x.numel()} numbers are infinite or not-a-number")


def signed_pixels(levels: int | None = None, *, strict: bool = True, **images: Tensor) -> None:
    """Raises ValueError if images, given by name, do not live in [-1, 1]; looks at the values.

    Images in [0, 1] are within [-1, 1] too. They are known by having no value below 0, where the background of an image
    is; but not images of one value, nor those whose values are all on the grid of ``levels`` in [-1, 1].

    Args:
        levels: number of values of a pixel, evenly spaced in [-1, 1].
        strict: refuse what leaves [-1, 1]. Samples may do so by themselves, since nothing cuts them; bytes have no
            value below 0 either.
    """
    for name, x in images.items():
        low, high = (v.item() for v in torch.aminmax(x.detach()))
        on_grid = levels is not None and low >= 0 and _on_grid(x, levels)
        outside = not -1 - 1e-6 <= low <= high <= 1 + 1e-6 if strict else not math.isfinite(high - low)
        if outside or (0 <= low < high and not on_grid):
            no_grid = "" if levels is None else "; for data on no grid, levels=None where there is that choice"
            raise ValueError(
                f"{name}: pixels must lie in [-1, 1], got values in [{low:g}, {high:g}]. For pixels in [0, 1] "
                f"take 2 x - 1, for bytes x / 127.5 - 1{no_grid}"
            )


def _on_grid(x: Tensor, levels: int) -> bool:
    level = (x.detach() + 1) * ((levels - 1) / 2)
    return bool(((level - level.round()).abs() < 1e-3).all())


def drawable(low: float, high: float, **images: Tensor) -> None:
    """Raises ValueError if images are on another scale than [low, high], such as bytes; looks at the values.

    What leaves the range by a few times its width passes: reconstructions and samples do.
    """
    for name, x in images.items():
        least, most = (v.item() for v in torch.aminmax(x.detach()))
        reach = 20 * (high - low)
        if not low - reach <= least <= most <= high + reach:
            raise ValueError(
                f"{name}: pixels in [{low:g}, {high:g}] expected, got values in [{least:g}, {most:g}]: scale them first"
            )
