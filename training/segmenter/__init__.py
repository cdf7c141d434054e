"""Training of trajplan's segmenter network: data, synthesis, network, training, evaluation and export.

Nothing here is shipped: the trained weights are (``trajplan/anatomy/weights``). ``make train-segmenter`` runs it all.
"""
