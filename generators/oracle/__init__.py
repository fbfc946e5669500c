"""What the bundled model drew, told by a small classifier trained on the very drawings it learnt from.

Only for pictures of ``bundled:emoji`` and its kin: it knows their subjects, presentations, tones, styles
and grounds, gives an answer for every picture, and its confusion matrix is published beside it.

    from generators.oracle.reading import confusion, oracle
    (reading,) = oracle().read(frames)
    reading["tone"], reading.answers["tone"].probability, confusion().right("tone")
"""
