"""Makes `vega.js`, the charts' library as one script: `python -m sdopt.export.report.bundle`.

Once for every version of vl-convert; making it takes seconds, and reading the file takes none.
"""

from __future__ import annotations

from pathlib import Path

TARGET = Path(__file__).with_name("vega.js")
LICENCE = "/*! Vega, Vega-Lite, Vega-Embed (BSD 3-Clause); their licences stand in vega-licence.txt. */\n"


def bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that leaves three names: vega, vegaLite, vegaEmbed."""
    import vl_convert

    script: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its own text says it may be empty
    # `</script` and `<!--` end a script on a page, also inside one of its texts; this way they mean the same.
    script = script.replace("</script", "<\\/script").replace("<!--", "<\\!--").replace("\r\n", "\n")
    return f"{LICENCE}(function () {{\n{script}\n}})();\n"


if __name__ == "__main__":
    TARGET.write_bytes(bundle().encode())
