"""Evaluation: skill alignment, a language model's answers with each selector's demonstrations, intervals, pages."""
