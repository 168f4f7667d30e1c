"""The engine of orders: steps as data, carried out, taken up again, and decided after a crash."""
