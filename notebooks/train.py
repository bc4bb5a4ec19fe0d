import pulse_widgets as pw

for step in range(20):
    pw.log({"train/loss": 1 / (step + 1)}, step=step)
