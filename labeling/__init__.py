"""Label Studio: the interface, push, pull, agreement, suspects and what to label next."""
