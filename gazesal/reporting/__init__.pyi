from .html.report import write_html_report as write_html_report
from .results_folder import write_report as write_report
from .summary_tables import summary_html as summary_html
from .summary_tables import summary_latex as summary_latex
from .summary_tables import summary_markdown as summary_markdown
from .summary_tables import summary_text as summary_text
