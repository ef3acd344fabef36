"""Sections of the page on what can be relied on: errors that harm, confidence, robustness."""

from collections.abc import Sequence

from training.evaluation.cells import FEWEST, Report, cell, figure, percent, plot, rate, table


def debunks(rates: Report | None) -> list[str]:
    """Write how often debunks are flagged as advancing."""
    if not rates:
        return []
    return [
        *("", "### Debunks flagged as advancing", ""),
        "Passages that rebut a narrative and advance none, and of which it is said that they",
        "advance one, whichever:",
        "",
        f"- accepted as such: {rate(rates['accepted'])};",
        f"- found as such, review included: {rate(rates['found'])}.",
    ]


def neutral(origins: Report) -> list[str]:
    """Write the false positives on labelled neutral passages."""
    rows = [
        [origin, lang, rate(share)]
        for origin, rates in origins.items()
        for lang, share in rates.items()
        if lang == "all" or share["total"] >= FEWEST
    ]
    return [
        *("", "## False positives on neutral text", ""),
        "Passages without a narrative in which one is accepted:",
        "",
        *table(["origin", "language", "with an accepted finding"], rows),
    ]


def neutral_sources(sources: Report) -> list[str]:
    """Write the false alarms on neutral sources without labels."""
    lines = []
    for source, parts in sources.items():
        rows = [
            [
                f"{part['language']}{', zero-shot' if part['zero_shot'] else ''}",
                rate(part["accepted"]),
                rate(part["found"]),
            ]
            for part in parts
        ]
        lines += [
            *("", f"### {source}, taken as neutral", ""),
            "Nobody labelled these texts, and what stands in the labels is left out with its",
            "translations; a finding may be right. Zero-shot: not a language of the training side.",
            "",
            *table(["language", "with an accepted finding", "with any finding"], rows),
        ]
    return lines


def calibration(found: Report, plots: Sequence[str]) -> list[str]:
    """Write how far confidences come true."""
    rows = [
        [
            part["name"],
            str(part["passages"]),
            f"{part['calibration_error']:.3f}",
            cell(part["calibration_error_of_findings"], 3),
        ]
        for part in found["slices"]["language"]
        if part["passages"] >= FEWEST
    ]
    return [
        *("", "## Calibration", ""),
        *plot("reliability", "How often decisions of each confidence are right", plots),
        *table(["language", "passages", "ECE", "ECE of findings"], rows),
        "",
        "The calibration error of few passages is too high by chance alone.",
    ]


def abstention(found: Report, plots: Sequence[str]) -> list[str]:
    """Write the error of findings by the share that is sent to review."""
    points = [point for point in found["curve"] if round(point["sent_to_review"] * 100) % 10 == 0]
    rows = [
        [percent(point[key]) for key in ("sent_to_review", "wrong", "wrong_or_other_stance")]
        for point in points
    ]
    released = found["accepted"]
    return [
        *("", "## Abstention", ""),
        f"Of {found['findings']} findings the least sure are sent to a person; the error of what",
        "is left:",
        "",
        *plot("abstention", "Error of findings by the share that is sent to review", plots),
        *table(["sent to review", "narrative not there", "or in another stance"], rows),
        "",
        f"The released thresholds send {percent(released['sent_to_review'])} to review; of what",
        f"they accept, {percent(released['wrong'])} is not there and "
        f"{percent(released['wrong_or_other_stance'])} is not there or has another stance.",
    ]


def robustness(found: Report | None, plots: Sequence[str]) -> list[str]:
    """Write what changes of the text cost."""
    if not found:
        return []
    rows = [
        [
            name,
            str(part["passages"]),
            f"{part['macro_f1']['before']:.3f}",
            f"{part['macro_f1']['after']:.3f}",
            figure(part["macro_f1"]["difference"]),
            figure(part["stance_accuracy"]["difference"]),
            " / ".join(percent(part["false_positives"][when]) for when in ("before", "after")),
        ]
        for name, part in found["perturbations"].items()
    ]
    head = ["change", "passages changed", "macro F1 before", "after", "difference"]
    lines = [
        *("", "## Robustness", ""),
        "Held-out passages, changed in ways that leave claim and stance (`training/robustness/`),",
        "at the same thresholds. Measured on the passages that a change does change, paired:",
        "",
        *plot("robustness", "Difference of macro F1 by change", plots),
        *table([*head, "stance accuracy", "neutral accepted before / after"], rows),
    ]
    if negation := found.get("negation"):
        lines += [
            "",
            "Negation changes the label, so it stands apart: passages that advance a narrative,",
            "put into a frame that denies them (“it is not true that ...”), rebut it. Of",
            f"{negation['findings']} such findings {percent(negation['kept'])} are still found,",
            f"{percent(negation['turned'])} of these as `rebuts`; "
            f"{percent(negation['still_accepted'])} of the {negation['accepted']} that were",
            "accepted as `advances` still are.",
        ]
    return lines


def explanations(found: Report | None) -> list[str]:
    """Write whether the words that explanations name matter."""
    if not found:
        return []
    return [
        *("", "## Explanations", ""),
        f"In {found['findings']} findings the words named by the explanation were deleted, and as",
        "many others drawn at random. The confidence falls by",
        f"{figure(found['named'])} without the named words, by {figure(found['random'])} without",
        f"the others; paired difference {figure(found['difference'])}. The named words matter",
        f"more in {percent(found['share'])} of the findings.",
    ]
