"""What is declared in one namespace: its objects, their names, and the rules over all of them together."""
