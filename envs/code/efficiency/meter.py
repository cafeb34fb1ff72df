"""A meter for Python programs: what they cost in elementary operations, counted, not timed. Standard library only.

It stands in the agent's box as cost.py and is sent as text to the verifier's.  A program is checked against a list of
what it may use, rewritten so that everything that takes time is charged for, and run.  The count depends on program and
input alone: not on the machine, the load or the Python version.

Charged: 1 for each statement, operator, comparison, subscript, function call and step of an iteration; and what C code
does at once by its size: copying, slicing, searching, comparing and building sequences by their length, sorting n items
n log2 n, heaps and bisection log2 n, long integers by words of 30 bits (products of words for multiplication and
division).  No classes, no `try`, no imports but those in MODULES.

Longer than files here are: it travels as one text.  What it does not see is in this folder's README.
"""

import ast
import bisect
import collections
import functools
import heapq
import itertools
import json
import math
import operator
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself would cost more than this program
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

SMALL = 1 << 60
MAX_SOURCE = 20_000


class Refused(Exception):
    """The program uses what the meter does not know. The message says what, and on which line."""


class TooDear(BaseException):
    """The budget is used up."""


class Meter:
    """The count so far, and where it ends."""

    def __init__(self, budget: int) -> None:
        self.cost, self.budget = 0, budget

    def charge(self, units: int) -> None:
        self.cost += units
        if self.cost > self.budget:
            raise TooDear


meter = Meter(0)


def charge(units: int) -> None:
    meter.charge(units)


# ---- sizes ------------------------------------------------------------------------------------------------------------

_LINEAR = (list, tuple, str, bytes, collections.deque)
_HASHED: "tuple[Any, ...]" = (dict, set, frozenset, type({}.keys()))
_SIZED: "tuple[Any, ...]" = (
    *_LINEAR,
    dict,
    set,
    frozenset,
    range,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)


def words(value: int) -> int:
    return 1 if -SMALL < value < SMALL else value.bit_length() // 30 + 1


def weight(value: "Any") -> int:
    """The work of looking at all of a value."""
    if isinstance(value, int):
        return words(value)
    if isinstance(value, (list, tuple, collections.deque)):
        return 1 + sum(map(weight, value))
    return len(value) + 1 if isinstance(value, _SIZED) else 1


def key_weight(value: "Any") -> int:
    """The work of hashing a value."""
    return 0 if isinstance(value, int) and -SMALL < value < SMALL else weight(value)


def log(size: int) -> int:
    return max(1, size).bit_length()


def metered(items: "Iterable[Any]") -> "Iterator[Any]":
    """The items, each of them charged for as it is taken."""
    for item in items:
        meter.charge(1)
        yield item


def feed(items: "Any") -> "Any":
    """What some C code will go through at once."""
    if isinstance(items, _SIZED):
        charge(len(items))
        return items
    return metered(items)


# ---- operators --------------------------------------------------------------------------------------------------------

_BINARY = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "FloorDiv": operator.floordiv, "Mod": operator.mod,
    "Div": operator.truediv, "Pow": operator.pow, "LShift": operator.lshift, "RShift": operator.rshift,
    "BitOr": operator.or_, "BitAnd": operator.and_, "BitXor": operator.xor,
}  # fmt: skip
_PLACE: "dict[str, Any]" = {
    "Add": operator.iadd, "BitOr": operator.ior, "BitAnd": operator.iand, "BitXor": operator.ixor, "Sub": operator.isub,
    "Mult": operator.imul,
}  # fmt: skip
_COMPARE: "dict[str, Callable[[Any, Any], Any]]" = {
    "Eq": operator.eq, "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt,
    "GtE": operator.ge, "Is": operator.is_, "IsNot": operator.is_not,
}  # fmt: skip
_PRODUCTS = ("Mult", "FloorDiv", "Mod", "Div")


def binary(name: str, a: "Any", b: "Any") -> "Any":
    whole = isinstance(a, int) and isinstance(b, int)
    if whole and name not in ("Pow", "LShift") and -SMALL < a < SMALL and -SMALL < b < SMALL:
        charge(1)
    elif whole:
        charge(1 + _long(name, a, b))
    elif name == "Mult":
        charge(1 + (len(a) * max(0, b) if isinstance(b, int) else len(b) * max(0, a) if isinstance(a, int) else 0))
    else:
        charge(1 + weight(a) + weight(b))
    return _BINARY[name](a, b)


def _long(name: str, a: int, b: int) -> int:
    if name == "Pow":
        size = words(a) + a.bit_length() * max(0, b) // 30
        return log(b) * size * size if size > 2 else log(b)
    if name == "LShift":
        return words(a) + max(0, b) // 30
    return words(a) * words(b) if name in _PRODUCTS else words(a) + words(b)


def in_place(name: str, a: "Any", b: "Any") -> "Any":
    """`a += b` and the like: what is added is charged for, not what it is added to."""
    if name == "Add" and isinstance(a, (list, str, collections.deque)):
        charge(1)
        return _PLACE["Add"](a, feed(b) if not isinstance(b, str) else _text(b))
    if isinstance(a, (set, dict)) and name in _PLACE and isinstance(b, _SIZED):
        charge(1 + len(b) + (len(a) if name == "BitAnd" else 0))
        return _PLACE[name](a, b)
    if isinstance(a, list):
        charge(1 + len(a) * max(0, b))
        return _PLACE[name](a, b)
    return binary(name, a, b)


def compare(name: str, a: "Any", b: "Any") -> bool:
    if name in ("In", "NotIn"):
        if isinstance(b, (*_HASHED, range)):
            charge(1 + key_weight(a))
        else:
            charge(1)
            b = feed(b)
        return (a in b) is (name == "In")
    if isinstance(a, int) and isinstance(b, int) and -SMALL < a < SMALL:
        charge(1)
    else:
        charge(1 if name in ("Is", "IsNot") else 1 + min(weight(a), weight(b)))
    return bool(_COMPARE[name](a, b))


def get(holder: "Any", key: "Any") -> "Any":
    if isinstance(key, slice):
        found = holder[key]
        charge(1 + (len(found) if isinstance(found, _SIZED) else 0))
        return found
    charge(1 if isinstance(holder, _LINEAR) else 1 + key_weight(key))
    return holder[key]


def set_in_place(holder: "Any", key: "Any", name: str, value: "Any") -> None:
    holder[key] = in_place(name, get(holder, key), value)


def moved(holder: "Any") -> "Any":
    """What is about to have a slice assigned or an item deleted: items move."""
    charge(1 if isinstance(holder, dict) else len(holder) + 1)
    return holder


def sized(value: "Any") -> "Any":
    charge(words(value) if isinstance(value, int) else 1)
    return value


def worth(units: int, value: "Any") -> "Any":
    charge(units)
    return value


def _text(value: str) -> str:
    charge(len(value) + 1)
    return value


# ---- functions and methods --------------------------------------------------------------------------------------------

_FUNCTIONS: "dict[str, Callable[..., Any]]" = {}


def _eager(function: "Any", **fixed: "Any") -> "Callable[..., Any]":
    """A function that goes through its first argument, if that is something to go through."""

    def call(*args: "Any", **named: "Any") -> "Any":
        charge(1)
        given = [feed(arg) if hasattr(arg, "__iter__") else worth(key_weight(arg), arg) for arg in args]
        return function(*given, **fixed, **named)

    return call


def _lazy(function: "Any") -> "Callable[..., Any]":
    """A function that gives an iterator: charged as it is used, on its way in and out."""

    def call(*args: "Any", **named: "Any") -> "Any":
        charge(1)
        given = [metered(arg) if hasattr(arg, "__iter__") and not isinstance(arg, _SIZED) else arg for arg in args]
        return metered(function(*given, **named))

    return call


def _priced(function: "Any", price: "Callable[..., int]") -> "Callable[..., Any]":
    def call(*args: "Any", **named: "Any") -> "Any":
        charge(1 + price(*args))
        return function(*args, **named)

    return call


def _sorting(items: "Any", **named: "Any") -> "list[Any]":
    found = list(feed(items))
    charge(
        1 + sum(key_weight(item) for item in found[:1]) * len(found) * log(len(found)) + len(found) * log(len(found))
    )
    found.sort(**named)
    return found


def _combined(function: "Callable[..., Any]") -> "Callable[..., Any]":
    """combinations and the like: each item is as dear as it is long; the pool is built at once."""

    def call(items: "Any", *args: "Any", **named: "Any") -> "Iterator[Any]":
        charge(1)
        for item in function(feed(items), *args, **named):
            charge(1 + len(item))
            yield item

    return call


def _product(*pools: "Any", repeat: int = 1) -> "Iterator[Any]":
    charge(1)
    for item in itertools.product(*[feed(pool) for pool in pools], repeat=repeat):
        charge(1 + len(item))
        yield item


def _sum(items: "Any", start: "Any" = 0) -> "Any":
    total = start
    for item in feed(items):
        if not isinstance(item, (int, float)):
            raise Refused("sum is for numbers: it would hide the copying of anything else")
        charge(words(item) - 1 if isinstance(item, int) else 0)
        total = total + item
    return worth(1, total)


def _accumulate(items: "Any", function: "Any" = None, **named: "Any") -> "Iterator[Any]":
    charge(1)
    for item in itertools.accumulate(metered(items), function, **named):
        charge(1 + key_weight(item))
        yield item


def _prod(items: "Any", start: int = 1) -> "Any":
    return _reduce(lambda a, b: binary("Mult", a, b), items, start)


def _lru_cache(maxsize: "Any" = 128, typed: bool = False) -> "Any":
    """functools.lru_cache, of which a hit is charged for, too."""

    def decorate(function: "Callable[..., Any]") -> "Callable[..., Any]":
        kept = functools.lru_cache(None if callable(maxsize) else maxsize, typed)(function)

        def call(*args: "Any", **named: "Any") -> "Any":
            charge(1 + sum(1 + key_weight(arg) for arg in args))
            return kept(*args, **named)

        return call

    return decorate(maxsize) if callable(maxsize) else decorate


def _reduce(function: "Any", items: "Any", *start: "Any") -> "Any":
    charge(1)
    return functools.reduce(function, metered(items), *start)


def _power(a: int, b: int, m: "int | None" = None) -> int:
    charge(1 + (_long("Pow", a, b) if m is None else log(abs(b)) * words(m) ** 2))
    return pow(a, b, m)


def _constant(*_: "Any") -> int:
    return 0


def _numbers(*args: "Any") -> int:
    size = max((words(arg) for arg in args if isinstance(arg, int)), default=1)
    return size * size if size > 1 else 0


def _factorial(n: int, *_: "Any") -> int:
    return max(0, n) * (1 + max(0, n) * log(n) // 60)


def _text_of(value: "Any") -> str:
    charge(1 + (words(value) ** 2 if isinstance(value, int) else weight(value)))
    return str(value)


_FUNCTIONS.update(
    {
        name: _eager(function)
        for name, function in {
            "min": min, "max": max, "any": any, "all": all, "list": list, "tuple": tuple, "set": set,
            "frozenset": frozenset, "dict": dict,
        }.items()
    },
    **{name: _lazy(function) for name, function in {"map": map, "filter": filter, "zip": zip, "enumerate": enumerate,
                                                  "reversed": reversed, "iter": iter}.items()},
    len=_priced(len, _constant), range=_priced(range, _constant), abs=_priced(abs, _constant), bool=_priced(bool, _constant),
    ord=_priced(ord, _constant), chr=_priced(chr, _constant), next=_priced(next, _constant),
    divmod=_priced(divmod, _numbers), int=_priced(int, lambda *a: weight(a[0]) ** 2 // 16 if a else 0),
    float=_priced(float, _constant), round=_priced(round, _constant), bin=_priced(bin, lambda n: n.bit_length()),
    sum=_sum, str=_text_of, pow=_power, sorted=_sorting,
)  # fmt: skip
CONSTANTS = {"True": True, "False": False, "None": None}


class Module:
    """A module of which some names may be used."""

    def __init__(self, **names: "Any") -> None:
        self.names = names


def _heap(function: "Callable[..., Any]") -> "Callable[..., Any]":
    return _priced(function, lambda heap, *item: log(len(heap)) * (1 + (key_weight(heap[0]) if heap else 0)))


def _bisection(function: "Callable[..., Any]", moves: bool = False) -> "Callable[..., Any]":
    return _priced(function, lambda a, x, *_: log(len(a)) * (1 + key_weight(x)) + (len(a) if moves else 0))


def _largest(function: "Callable[..., Any]") -> "Callable[..., Any]":
    def call(n: int, items: "Any", **named: "Any") -> "Any":
        found = list(feed(items))
        charge(1 + len(found) * log(n))
        return function(n, found, **named)

    return call


MODULES = {
    "math": Module(
        gcd=_priced(math.gcd, _numbers), lcm=_priced(math.lcm, _numbers), isqrt=_priced(math.isqrt, _numbers),
        sqrt=_priced(math.sqrt, _constant), floor=_priced(math.floor, _constant), ceil=_priced(math.ceil, _constant),
        log2=_priced(math.log2, _constant), comb=_priced(math.comb, lambda n, k: _factorial(min(k, n))),
        factorial=_priced(math.factorial, _factorial), prod=_prod, inf=math.inf,
    ),
    "collections": Module(
        deque=_eager(collections.deque), Counter=_eager(collections.Counter), OrderedDict=_eager(collections.OrderedDict),
        defaultdict=_priced(collections.defaultdict, _constant),
    ),
    "heapq": Module(
        heappush=_heap(heapq.heappush), heappop=_heap(heapq.heappop), heapreplace=_heap(heapq.heapreplace),
        heappushpop=_heap(heapq.heappushpop), heapify=_priced(heapq.heapify, len), nlargest=_largest(heapq.nlargest),
        nsmallest=_largest(heapq.nsmallest),
    ),
    "bisect": Module(
        bisect=_bisection(bisect.bisect), bisect_left=_bisection(bisect.bisect_left),
        bisect_right=_bisection(bisect.bisect_right), insort=_bisection(bisect.insort, moves=True),
        insort_left=_bisection(bisect.insort_left, moves=True), insort_right=_bisection(bisect.insort, moves=True),
    ),
    "itertools": Module(
        accumulate=_accumulate, chain=_lazy(itertools.chain), count=_lazy(itertools.count),
        islice=_lazy(lambda items, *where: itertools.islice(metered(items), *where)), pairwise=_lazy(itertools.pairwise),
        repeat=_lazy(itertools.repeat), zip_longest=_lazy(itertools.zip_longest), cycle=_lazy(itertools.cycle),
        takewhile=_lazy(itertools.takewhile), dropwhile=_lazy(itertools.dropwhile), starmap=_lazy(itertools.starmap),
        combinations=_combined(itertools.combinations), permutations=_combined(itertools.permutations), product=_product,
    ),
    "functools": Module(
        lru_cache=_lru_cache, cache=_lru_cache, reduce=_reduce, cmp_to_key=functools.cmp_to_key,
    ),
    "typing": Module(**dict.fromkeys(("Any", "Dict", "Iterable", "List", "Optional", "Sequence", "Set", "Tuple"))),
}  # fmt: skip

_Price = "Callable[..., int]"


def _whole(own: "Any", *_: "Any") -> int:
    return len(own)


def _both(own: "Any", *given: "Any") -> int:
    return len(own) + sum(weight(each) for each in given if not isinstance(each, int))


def _keyed(own: "Any", *given: "Any") -> int:
    return key_weight(given[0]) if given else 0


_ONE_KEY = dict.fromkeys(("get", "pop", "setdefault", "add", "discard", "remove"), _keyed)
_FREE = dict.fromkeys(("keys", "values", "items", "append", "appendleft", "popleft", "popitem", "bit_length", "bit_count",
                       "clear", "isdigit", "isalpha"), _constant)  # fmt: skip
_SETS = dict.fromkeys(("union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset",
                       "isdisjoint", "copy", "intersection_update", "difference_update"), _both)  # fmt: skip
_FED = ("update", "extend", "extendleft", "join", "union", "intersection", "difference")
_WHOLE = dict.fromkeys(("index", "count", "insert", "remove", "reverse", "copy", "rotate"), _whole)
_STRINGS = dict.fromkeys(("split", "strip", "lstrip", "rstrip", "replace", "find", "rfind", "index", "count", "startswith",
                          "endswith", "lower", "upper", "isupper", "islower", "splitlines", "zfill", "rjust", "ljust",
                          "partition", "rpartition"), _both)  # fmt: skip
METHODS: "dict[type, dict[str, Any]]" = {
    list: {**_FREE, **_WHOLE, "pop": lambda own, *at: len(own) if at and at[0] != -1 else 0, "extend": _constant},
    collections.deque: {**_FREE, **_WHOLE, "pop": _constant, "extend": _constant, "extendleft": _constant},
    dict: {**_FREE, **_ONE_KEY, "update": _constant, "copy": _whole},
    set: {**_FREE, **_ONE_KEY, **_SETS, "update": _constant},
    frozenset: _SETS,
    str: {**_STRINGS, "join": _whole, "isdigit": _whole, "isalpha": _whole, "isalnum": _whole},
    tuple: {"index": _whole, "count": _whole},
    int: {"bit_length": _constant, "bit_count": words},
}
METHODS[collections.defaultdict] = METHODS[dict]
METHODS[collections.OrderedDict] = {**METHODS[dict], "move_to_end": _constant}
METHODS[collections.Counter] = {
    **METHODS[dict], "most_common": lambda own, *n: len(own) * log(len(own)), "subtract": _constant, "elements": _whole,
    "total": _whole,
}  # fmt: skip


_SPECIAL: "dict[Any, Any]" = {
    (id(_FUNCTIONS["dict"]), "fromkeys"): _eager(dict.fromkeys),
    (id(MODULES["itertools"].names["chain"]), "from_iterable"): _lazy(itertools.chain.from_iterable),
}


def attribute(holder: "Any", name: str) -> "Any":
    """A name of a module, or a method that charges for what it does."""
    if isinstance(holder, Module):
        if name in holder.names:
            return holder.names[name]
        raise Refused(f"{name!r} is not among what may be used of that module: {', '.join(sorted(holder.names))}")
    prices = METHODS.get(type(holder))
    if prices is None:
        if (special := _SPECIAL.get((id(holder), name))) is not None:
            return special
        raise Refused(f"a {type(holder).__name__} has no attribute {name!r} that may be used")
    if name == "sort" and type(holder) is list:
        return functools.partial(_sort, holder)
    if name not in prices:
        raise Refused(f"a {type(holder).__name__} has no method {name!r} that may be used")
    price, method = prices[name], getattr(holder, name)

    def call(*args: "Any", **named: "Any") -> "Any":
        charge(1 + price(holder, *args))
        given = [feed(arg) if name in _FED and hasattr(arg, "__iter__") else arg for arg in args]
        found = method(*given, **named)
        if isinstance(holder, str) and isinstance(found, _LINEAR):
            charge(len(found))
        return found

    return call


def _sort(own: "list[Any]", **named: "Any") -> None:
    own[:] = _sorting(own, **named)


# ---- the program: checked, then rewritten -----------------------------------------------------------------------------

_ALLOWED = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For,
    ast.While, ast.If, ast.Expr, ast.Pass, ast.Break, ast.Continue, ast.Delete, ast.Import, ast.ImportFrom, ast.alias,
    ast.Global, ast.Nonlocal, ast.Lambda, ast.IfExp, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call,
    ast.keyword, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice, ast.Name, ast.Tuple, ast.List, ast.Set, ast.Dict,
    ast.Starred, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.JoinedStr,
    ast.FormattedValue, ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.expr_context, ast.boolop, ast.operator, ast.unaryop,
    ast.cmpop,
)  # fmt: skip


def _told(node: ast.AST, name: str) -> bool:
    """`from __future__` and reading `__name__`, which programs have by habit."""
    return name == "__future__" or (name == "__name__" and isinstance(getattr(node, "ctx", None), ast.Load))


def check(tree: ast.Module) -> None:
    """Refuse what the meter does not know, and every name that could reach it."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if not isinstance(node, _ALLOWED) or isinstance(node, ast.MatMult):
            raise Refused(f"line {line}: {type(node).__name__} may not be used")
        for field in ("id", "name", "arg", "attr", "asname", "module"):
            name = getattr(node, field, None)
            if isinstance(name, str) and name.startswith("__") and not _told(node, name):
                raise Refused(f"line {line}: the name {name} may not be used")
        if isinstance(node, (ast.Global, ast.Nonlocal)) and any(name.startswith("__") for name in node.names):
            raise Refused(f"line {line}: such a name may not be used")
        if isinstance(node, ast.Attribute) and (node.attr.startswith("_") or not isinstance(node.ctx, ast.Load)):
            raise Refused(f"line {line}: the attribute {node.attr} may not be used so")


def _helper(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(f"__m_{name}", ast.Load()), list(args), [])


def _of(value: "Any") -> ast.Constant:
    return ast.Constant(value)


class Rewriter(ast.NodeTransformer):
    """Puts a charge on everything that takes time."""

    def __init__(self) -> None:
        self.temporaries = 0

    def block(self, statements: "list[ast.stmt]") -> "list[ast.stmt]":
        done: list[ast.stmt] = []
        for statement in statements:
            done.append(ast.Expr(_helper("charge", _of(1))))
            new = self.visit(statement)
            done += new if isinstance(new, list) else [new]
        return done

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = self.block(node.body)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        for arg in ast.walk(node.args):
            if isinstance(arg, ast.arg):
                arg.annotation = None
        node.args = self.visit(node.args)
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.body = [ast.Expr(_helper("charge", _of(1 + len(node.args.args)))), *self.block(node.body)]
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self.generic_visit(node)
        node.body = _helper("worth", _of(1 + len(node.args.args)), node.body)
        return node

    def visit_If(self, node: ast.If) -> ast.If:
        node.test, node.body, node.orelse = self.visit(node.test), self.block(node.body), self.block(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.While:
        node.test = _helper("worth", _of(1), self.visit(node.test))
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        return node

    def visit_For(self, node: ast.For) -> ast.For:
        node.iter, node.target = self.visit(node.iter), self.visit(node.target)
        node.body = [ast.Expr(_helper("charge", _of(1))), *self.block(node.body)]
        node.orelse = self.block(node.orelse)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        node.iter = _helper("metered", node.iter)
        return node

    def visit_Import(self, node: ast.Import) -> "list[ast.stmt]":
        return [self._bind(alias.asname or alias.name, self._module(alias.name, node)) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> "list[ast.stmt]":
        if node.module == "__future__":
            return [ast.Pass()]
        module = self._module(node.module or "", node)
        return [
            self._bind(alias.asname or alias.name, _helper("attribute", module, _of(alias.name)))
            for alias in node.names
        ]

    def _module(self, name: str, node: ast.stmt) -> ast.expr:
        if name not in MODULES:
            raise Refused(f"line {node.lineno}: {name!r} may not be imported: only {', '.join(sorted(MODULES))}")
        return _helper("module", _of(name))

    def _bind(self, name: str, value: ast.expr) -> ast.stmt:
        return ast.Assign([ast.Name(name, ast.Store())], value)

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        unpacks = any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets)
        self.generic_visit(node)
        if unpacks:
            node.value = _helper("feed", node.value)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.Pass()
        return self.visit_Assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        name, value = _of(type(node.op).__name__), self.visit(node.value)
        if isinstance(node.target, ast.Name):
            now = ast.Name(node.target.id, ast.Load())
            return ast.Assign([node.target], _helper("in_place", name, now, value))
        if not isinstance(node.target, ast.Subscript):
            raise Refused(f"line {node.lineno}: such a target may not be used")
        holder, key = self.visit(node.target.value), self._key(node.target.slice)
        return ast.Expr(_helper("set_in_place", holder, key, name, value))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.ctx, ast.Load):
            return _helper("get", self.visit(node.value), self._key(node.slice))
        cut = isinstance(node.ctx, ast.Del) or isinstance(node.slice, ast.Slice)
        self.generic_visit(node)
        if cut:
            node.value = _helper("moved", node.value)
        return node

    def _key(self, key: ast.expr) -> ast.expr:
        key = self.visit(key)
        if not isinstance(key, ast.Slice):
            return key
        return _helper("slice", *(part if part is not None else _of(None) for part in (key.lower, key.upper, key.step)))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return _helper("binary", _of(type(node.op).__name__), node.left, node.right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Not):
            node.operand = _helper("sized", node.operand)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        left, tests = node.left, list[ast.expr]()
        for number, (op, right) in enumerate(zip(node.ops, node.comparators)):  # noqa: B905
            last = number == len(node.ops) - 1
            kept = right if last or isinstance(right, (ast.Name, ast.Constant)) else self._kept(right)
            tests.append(_helper("compare", _of(type(op).__name__), left, kept))
            left = ast.Name(kept.target.id, ast.Load()) if isinstance(kept, ast.NamedExpr) else right
        return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)

    def _kept(self, value: ast.expr) -> ast.expr:
        """A value that is used again: in a chain of comparisons each operand is evaluated once."""
        self.temporaries += 1
        return ast.NamedExpr(ast.Name(f"__m_kept{self.temporaries}", ast.Store()), value)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return _helper("attribute", self.visit(node.value), _of(node.attr))

    def visit_Starred(self, node: ast.Starred) -> ast.Starred:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load):
            node.value = _helper("feed", node.value)
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.YieldFrom:
        self.generic_visit(node)
        node.value = _helper("metered", node.value)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        for part in ast.walk(node):
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
        return _helper("text", node)

    def _display(self, node: "Any") -> "Any":
        self.generic_visit(node)
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return node
        size = len(node.keys if isinstance(node, ast.Dict) else node.elts)
        return _helper("worth", _of(size), node)

    visit_List = visit_Tuple = visit_Set = visit_Dict = _display


_HELPERS = {
    "charge": charge, "worth": worth, "metered": metered, "feed": feed, "attribute": attribute, "module": MODULES.get,
    "in_place": in_place, "set_in_place": set_in_place, "get": get, "slice": slice, "binary": binary, "compare": compare,
    "moved": moved, "sized": sized, "text": _text,
}  # fmt: skip


def load(source: str) -> "dict[str, Any]":
    """Run a program's top level, metered; what it defines."""
    if len(source) > MAX_SOURCE:
        raise Refused(f"the program is longer than {MAX_SOURCE} characters")
    tree = ast.parse(source)
    check(tree)
    tree = ast.fix_missing_locations(Rewriter().visit(tree))
    space: dict[str, object] = {f"__m_{name}": value for name, value in _HELPERS.items()}
    space.update(_FUNCTIONS, __builtins__={}, __name__="solution")
    exec(compile(tree, "solution", "exec"), space)
    return space


def measure(job: "dict[str, Any]") -> "dict[str, Any]":
    """Run {"source", "function", "calls", "budget"}: the results of the calls as JSON texts, the cost, what went wrong."""
    meter.cost, meter.budget = 0, job["budget"]
    results: list[str] = []
    error = ""
    try:
        function = load(job["source"]).get(job["function"])
        if not callable(function):
            raise Refused(f"there is no function {job['function']}")
        for arguments in job["calls"]:
            results.append(json.dumps(function(*arguments), allow_nan=False))
    except TooDear:
        error = f"it costs more than {job['budget']}"
    except BaseException as problem:
        error = f"{type(problem).__name__}: {problem}"[:500]
    return {"results": results, "cost": meter.cost, "error": error}


def main(argv: "list[str]") -> None:
    """`cost.py` alone takes a job on standard input; `cost.py FILE EXAMPLES` tells how a program does on examples."""
    sys.setrecursionlimit(5_000)
    if len(argv) < 3:
        print(json.dumps(measure(json.load(sys.stdin))))
        return
    with open(argv[1]) as file, open(argv[2]) as examples:
        source, cases = file.read(), json.load(examples)
    calls = [case["arguments"] for case in cases["cases"]]
    done = measure({"source": source, "function": cases["function"], "calls": calls, "budget": cases["budget"]})
    right = [json.loads(got) == case["result"] for got, case in zip(done["results"], cases["cases"])]  # noqa: B905
    print(f"{sum(right)} of {len(calls)} examples are right; cost {done['cost']}. {done['error']}".strip())


if __name__ == "__main__":
    main(sys.argv)
