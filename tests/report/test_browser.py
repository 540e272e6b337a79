"""A report in a real browser: nothing is asked of the network, and all that moves does what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ganbench.report.output import write_files
from ganbench.report.site import Shown, build_site
from tests.report.conftest import BOARD, HOSTILE, Open, Report

PAGES = ("index.html", BOARD, "tiny-quick/models/dcgan.html", "tiny-quick/models/broken.html")


def labels(page: Any) -> list[str]:
    """Return the labels of the rows that can be seen, in their order."""
    return [each.strip() for each in page.locator("#ranks tbody tr:visible th").all_inner_texts()]


def test_every_page_opens_without_network_or_error(show: Open, report: Report) -> None:
    page = show("index.html")
    for path in PAGES:
        page.goto((report.out / path).as_uri())
        assert page.locator("h1").count() == 1
    page.goto((report.out / report.page).as_uri())
    image = page.locator("#samples img").last
    image.scroll_into_view_if_needed()
    assert image.evaluate("each => each.decode().then(() => each.naturalWidth)") == 280


def test_a_heading_sorts_by_mouse_and_by_keyboard(show: Open) -> None:
    page = show()
    start = labels(page)
    assert start[:2] == ["real (ceiling)", "dcgan"]
    heading = page.locator("#ranks th[data-key=fid]")
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    ascending = labels(page)
    assert ascending[0] == "replay (memoriser)"
    assert ascending[-2:] == start[-2:]  # without a value
    heading.locator("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert labels(page)[0] == "noise (floor)"
    assert labels(page)[-2:] == start[-2:]
    page.locator("#ranks th[data-key=cas_oracle] button").press("Space")
    assert heading.get_attribute("aria-sort") is None
    assert page.locator("#ranks th[aria-sort]").count() == 1
    assert page.locator("#ranks th[data-key=cas_oracle]").get_attribute("aria-sort") == "descending"  # more is better
    page.locator("#ranks th").first.locator("button").click()
    assert labels(page) == start


def test_text_and_families_filter_the_table_the_charts_and_the_samples(show: Open) -> None:
    page = show()
    everything = labels(page)
    page.get_by_label("Model", exact=True).fill("VA")
    assert labels(page) == ["vae[latent_dim=64]", "vanilla"]
    assert page.locator("#count").inner_text() == "2 of 8 models"
    assert page.locator("#samples figure:visible").count() == 2
    assert page.locator("#curves li:visible").count() == 2
    page.get_by_label("Model", exact=True).fill("")
    assert labels(page) == everything
    page.get_by_role("checkbox", name="gan", exact=True).uncheck()
    assert HOSTILE in labels(page) and "real (ceiling)" in labels(page)
    assert "dcgan" not in labels(page)


def test_columns_are_chosen(show: Open) -> None:
    page = show()
    cells = page.locator("#ranks th[data-key=density], #ranks tbody td.gone")
    assert page.locator("#ranks th[data-key=density]").is_hidden()
    page.locator(".chooser summary").click()
    page.locator(".chooser label", has_text="D ↑").locator("input").check()
    assert page.locator("#ranks th[data-key=density]").is_visible()
    page.locator(".chooser label", has_text="FID").locator("input").uncheck()
    assert page.locator("#ranks th[data-key=fid]").is_hidden()
    assert page.locator("#ranks td[data-v]").first.is_hidden()
    page.keyboard.press("Escape")
    assert page.locator(".chooser[open]").count() == 0
    assert cells.count() > 0


def test_a_value_tells_its_interval_and_seeds_by_mouse_and_by_keyboard(show: Open) -> None:
    page = show()
    tip = page.get_by_role("tooltip")
    assert tip.is_hidden()
    row = page.locator("#ranks tbody tr", has=page.get_by_text("dcgan", exact=True))
    row.locator("td[data-v]").first.hover()
    said = tip.inner_text().splitlines()
    assert said[0].startswith("dcgan: FID ↓ 20.1")
    assert said[1] == "95 % interval 17.3 to 23.5"
    assert said[2:] == ["seed 0: 19.0", "seed 1: 20.0", "seed 2: 21.5"]
    page.mouse.move(2, 2)
    assert tip.is_hidden()
    assert page.locator("#ranks td[tabindex='0']").count() == 1
    page.locator("#ranks td[tabindex='0']").focus()
    assert tip.inner_text().startswith("real (ceiling): FID")
    page.keyboard.press("ArrowDown")
    assert tip.inner_text().startswith("dcgan: FID ↓ 20.1")
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "tip"
    page.keyboard.press("ArrowRight")
    assert tip.inner_text().startswith("dcgan: IS ↑ 8.00")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_a_curve_lights_up_and_is_hidden(show: Open) -> None:
    page = show()
    chart = page.locator("#curves .chart").first
    button = page.locator("#curves .legend button", has_text="dcgan")
    index = button.locator("xpath=..").get_attribute("data-m")
    curve = chart.locator(f"g[data-m='{index}']")
    assert curve.is_visible()
    curve.locator("title").evaluate("each => each.parentElement.querySelector('.hit').dispatchEvent("
                                    "new PointerEvent('pointerover', {bubbles: true}))")  # fmt: skip
    assert "lit" in (curve.get_attribute("class") or "")
    assert "focus" in (chart.get_attribute("class") or "")
    assert page.locator(f"#ranks tr.lit[data-m='{index}']").count() == 1
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    page.mouse.move(2, 2)
    page.locator("h1").click()
    assert curve.is_hidden()
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert curve.is_visible()


def test_a_cost_is_chosen_and_its_points_lead_to_models(show: Open) -> None:
    page = show()
    assert page.locator("#costs figure:visible").count() == 1
    page.locator("#cost-choice").get_by_role("button", name="parameters").click()
    shown = page.locator("#costs figure:visible")
    assert shown.count() == 1 and shown.get_attribute("data-cost") == "parameters"
    point = shown.locator("svg a", has=page.get_by_text("dcgan:")).first
    point.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/dcgan.html")


def test_two_models_are_compared_and_flipped(show: Open) -> None:
    page = show()
    head, said = page.locator("#verdict-head"), page.locator("#verdict-said")
    written = head.inner_text(), said.inner_text()
    assert written[0].startswith("These seeds do not tell them apart")
    left, right = page.get_by_label("Compare"), page.get_by_label("with")
    left.select_option(label="vanilla")
    right.select_option(label="dcgan")
    assert head.inner_text() == "dcgan is better"
    assert "dcgan is better on average than vanilla: its FID is 0." in said.inner_text()
    assert page.locator("#left-figure img").get_attribute("alt") == "Samples of vanilla"
    right.select_option(label="lone")
    assert head.inner_text() == "Not known"
    left.select_option(label="vae[latent_dim=64]")
    right.select_option(label="dcgan")
    assert (head.inner_text(), said.inner_text()) == written  # in either order, as the page said without a script
    page.get_by_role("button", name="Flip in one place").click()
    assert page.locator("#left-figure").is_visible() and page.locator("#right-figure").is_hidden()
    before = page.locator("#left-figure").bounding_box()
    page.get_by_role("button", name="Flip", exact=True).press("Space")
    assert page.locator("#right-figure").is_visible() and page.locator("#left-figure").is_hidden()
    after = page.locator("#right-figure").bounding_box()
    assert (before["x"], before["y"]) == (after["x"], after["y"])
    page.get_by_role("button", name="Side by side").click()
    assert page.locator("#two figure:visible").count() == 2


def test_without_a_script_everything_is_there(show: Open) -> None:
    page = show(java_script_enabled=False)
    assert len(labels(page)) == page.locator("#ranks tbody tr").count() > 8
    assert page.locator("#ranks th[data-key=density]").is_visible()
    assert page.locator("#costs figure:visible").count() == 3
    assert page.locator("#curves .chart g[data-m]:visible").count() >= 8
    assert page.locator("#samples img").count() > 5
    assert page.locator("#verdict-head").is_visible()
    assert page.locator(".needs-js:visible").count() == 0
    assert page.locator("button:visible:enabled").count() == 0  # none that would do nothing
    assert page.locator(".matrix td:visible").count() > 10


@pytest.mark.parametrize("script", [True, False])
def test_a_narrow_page_scrolls_its_tables_and_not_itself(show: Open, report: Report, script: bool) -> None:
    page = show(viewport={"width": 390, "height": 800}, java_script_enabled=script)
    for path in PAGES:
        page.goto((report.out / path).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
    page.goto((report.out / BOARD).as_uri())
    assert page.locator(".main-table").evaluate("each => each.scrollWidth > each.clientWidth")


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((each) => each / 255)
    .map((each) => each <= .03928 ? each / 12.92 : ((each + .055) / 1.055) ** 2.4)
    .reduce((sum, each, at) => sum + each * [.2126, .7152, .0722][at], 0);
  const behind = (each) => {
    for (; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const each of document.querySelectorAll("body *")) {
    const text = [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!text || !each.checkVisibility() || ["SCRIPT", "STYLE", "TITLE", "OPTION"].includes(each.tagName.toUpperCase())) continue;
    const style = getComputedStyle(each);
    const [a, b] = [light(parse(each.ownerSVGElement ? style.fill : style.color)), light(behind(each))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) low.push([each.tagName, each.textContent.trim().slice(0, 30), (a + .05) / (b + .05)]);
  }
  return low;
}"""  # noqa: E501


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_by_night(show: Open, report: Report, scheme: str) -> None:
    page = show(color_scheme=scheme)
    for path in PAGES:
        page.goto((report.out / path).as_uri())
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(255, 255, 255)") == (scheme == "light")
        assert page.evaluate(CONTRAST) == []


def test_everything_can_be_reached_by_keyboard(show: Open) -> None:
    page = show()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    reached = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.name || "
                                  "document.activeElement.closest('[id]')?.id"))  # fmt: skip
    assert {"left", "right", "flip", "text", "family", "ranks", "curves", "cost-choice", "grid-1"} <= reached


def test_a_single_file_works_as_the_site_does(show: Open, report: Report, tmp_path: Path) -> None:
    write_files(tmp_path / "one", build_site([Shown(report.board)], single_file=True))
    page = show(tmp_path / "one" / "tiny-quick.html")
    assert page.evaluate("[...document.images].every((each) => each.src.startsWith('data:'))")
    page.locator("#ranks th[data-key=fid] button").click()
    assert labels(page)[0] == "replay (memoriser)"
    page.get_by_label("Compare").select_option(label="vanilla")
    assert page.locator("#left-figure img").evaluate("each => each.decode().then(() => each.naturalWidth)") == 280
    page.locator("#ranks a", has_text="dcgan").click()
    assert page.url.endswith("#model-dcgan")
