"""Layout of the HTML page in a browser. `test_html_report` has the tests without a browser."""

import re
import shutil
import subprocess

import pytest

pytest.importorskip("jinja2", reason="the extra `report` is not installed")
pytest.importorskip("matplotlib", reason="the extra `report` is not installed")

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), "")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The page is shown in a frame, because a window is never narrower than 500 pixels, and reports its
# measures to the page around it. An element is too wide if it extends beyond the edge of the frame
# and is not inside an element that scrolls.
ASK = """
<script>
addEventListener("load", () => {
  const root = document.documentElement, edge = root.clientWidth + 1, wide = [];
  for (const each of document.body.querySelectorAll("*")) {
    if (each.getBoundingClientRect().right > edge && !each.closest(".scroll"))
      wide.push(each.tagName + " " + each.className);
  }
  const style = getComputedStyle(document.body);
  parent.postMessage([innerWidth, root.scrollWidth, root.clientWidth, wide.length,
    document.images.length, [...document.images].filter(each => each.naturalWidth > 0).length,
    wide[0], style.backgroundColor, style.color].join("|"), "*");
});
</script>
"""
FRAME = """<!DOCTYPE html><meta name="color-scheme" content="light dark"><body><script>
addEventListener("message", each => document.body.setAttribute("data-found", each.data));
</script><iframe src="page.html" style="width: WIDTHpx; height: 900px; border: 0"></iframe></body>
"""


def looked_at(page, folder, width, dark):
    """Return the measures of a page, its first element that is too wide, and its colors."""
    without_policy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert without_policy != page  # or the script would not run
    asking = without_policy.replace("</body>", f"{ASK}</body>")
    (folder / "page.html").write_text(asking, encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME.replace("WIDTH", str(width)), encoding="utf-8")
    command = [BROWSER, *QUIET, f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    command += ["--window-size=1400,1000", "--virtual-time-budget=5000"]
    command += [f"--blink-settings=preferredColorScheme={1 - dark}", frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search('data-found="([^"]*)"', done.stdout)
    assert found, done.stderr[-2000:]
    *numbers, wide, ground, ink = found[1].split("|")
    colors = [sum(int(each) for each in re.findall(r"\d+", text)) for text in (ground, ink)]
    return [int(each) for each in numbers], wide, colors


@pytest.mark.skipif(not BROWSER, reason="there is no Chromium or Chrome on the path")
@pytest.mark.parametrize("dark", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_page_fits_the_window_and_follows_the_theme(any_page, tmp_path, width, dark):
    numbers, wide, (ground, ink) = looked_at(any_page, tmp_path, width, dark)
    inner, scroll, client, n_wide, images, seen = numbers
    assert inner == width
    assert (n_wide, wide) == (0, "")
    assert scroll <= client
    assert images == seen > 0
    low, high = (ground, ink) if dark else (ink, ground)
    assert low < 130  # of 765, the sum of the three channels
    assert high > 600


@pytest.mark.skipif(not BROWSER, reason="there is no Chromium or Chrome on the path")
def test_check_finds_elements_that_are_too_wide(page, tmp_path):
    wide = page.replace("<main>", '<main><p style="width: 3000px">wide</p>')
    numbers, name, _ = looked_at(wide, tmp_path, 390, 0)
    assert numbers[3] >= 1
    assert name.startswith("P")
    assert numbers[1] > numbers[2]
