"""Tests that are made from tables: one named method for each row, one class for each protocol."""
import unittest


def each(*rows):
    """Makes a test for each row, which is (name, argument...): `test_x` with a row named `y` becomes `test_x_y`."""
    def mark(function):
        function.rows = rows
        return function
    return mark


def _methods(plain):
    for name, function in vars(plain).items():
        if not hasattr(function, "rows"):
            yield name, function
            continue
        for row in function.rows:
            def run(self, function=function, arguments=row[1:]):
                function(self, *arguments)
            run.__doc__ = function.__doc__
            yield f"{name}_{row[0]}", run


def for_protocols(protocols, *plains):
    """From plain classes of cases to test cases, one for each protocol, by name."""
    made = {}
    for plain in plains:
        methods = dict(_methods(plain))
        for protocol in protocols:
            name = f"{plain.__name__}_{protocol.name}"
            made[name] = type(name, (unittest.TestCase,), {**methods, "protocol": protocol})
    return made
