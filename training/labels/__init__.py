"""Labels: records, the texts that they stand for, and who may be trained on."""
