def slug(text):
    out = []
    for part in text.lower().split():
        word = part.strip(".,;:!?")
        if word and not word.isdigit():
            out.append(word)
    return "-".join(out)


def main():
    lines = []
    for number in range(200):
        title = f"Pedido {number}: 3 caixas de Caneta, azul; total {number * 1.5:.2f}"
        lines.append(f"{slug(title)} [{len(title)}]")
    return "\n".join(lines)
