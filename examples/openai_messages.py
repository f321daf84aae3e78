"""openai: demonstrations as chat messages, for any OpenAI-compatible endpoint (OPENAI_BASE_URL, OPENAI_API_KEY).

pip install '.[templates]' openai
python examples/openai_messages.py selector "How many apples are left?"
"""

import sys

from openai import OpenAI

from skillshot import Selector

SYSTEM = "You solve word problems. Write the steps, then the answer, as the {{ demonstrations | length }} examples do."


def main(bundle: str, question: str, model: str = "gpt-4o-mini") -> None:
    """Print the answer of the endpoint; `bundle` may also be hf:OWNER/NAME or models:/NAME@ALIAS."""
    messages = Selector.load(bundle).messages(question, k=4, system=SYSTEM)
    answer = OpenAI().chat.completions.create(model=model, messages=messages, temperature=0)
    print(answer.choices[0].message.content)


if __name__ == "__main__":
    main(*sys.argv[1:])
