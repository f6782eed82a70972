"""What is learnt: classifiers, ranker, calibration, evaluation, saved versions."""
