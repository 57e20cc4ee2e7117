"""The report: one self-contained page that an alderman understands and a councillor can check."""

from sdopt.export.report.page import report_html

__all__ = ["report_html"]
