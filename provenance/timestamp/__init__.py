"""Time-stamps of an outside authority (RFC 3161): asked for, checked, and what they prove.

``client`` asks the authorities an operator configured, ``token`` checks an answer without asking anybody.
Nothing in here opens a connection unless ``client.TimeStamper`` is called.
"""
