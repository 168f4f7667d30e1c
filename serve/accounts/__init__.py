"""The creation of accounts, in steps that can be taken up again after a crash."""
