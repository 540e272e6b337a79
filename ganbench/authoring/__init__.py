"""New packages for authors: a model, metric, data set, extractor or track that works, to be changed into one's own."""
