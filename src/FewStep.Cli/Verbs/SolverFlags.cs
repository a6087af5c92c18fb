namespace FewStep.Cli.Verbs;

/// <summary><c>--solver</c>, and its order and options as flags of their own, which are merged into its text.</summary>
internal sealed class SolverFlags(Command command)
{
    private readonly Option<string?> _solver = command.Optional<string?>(
        "--solver", $"name[:order][:key=value]..., e.g. unipc:3:variant=bh1, "
            + $"of {string.Join(", ", SolverCatalog.Names)}; left out, the one that the schedule file was made for, else euler.", "solver");

    private readonly Option<int?> _order = command.Optional<int?>("--order", "Order of the solver.", "number");
    private readonly Option<string?> _variant = command.Optional<string?>("--variant", "Of unipc: bh1 or bh2.", "name");
    private readonly Option<string?> _predict = command.Optional<string?>("--predict", "Of dpmpp and unipc: data or noise.", "what");
    private readonly Option<string?> _lowerOrderFinal = command.OrBare("--lower-order-final",
        "Of dpmpp and unipc: whether the last steps fall to order 1; denoise counts the denoise after them as the last one.",
        string.Join('|', SolverOption.LowerOrderFinal.Choices));
    private readonly Option<bool?> _thresholding = command.Optional<bool?>(
        "--thresholding", "Of dpmpp and unipc: whether outputs are limited to [-1, 1].");

    public IEnumerable<Option> All => [_solver, _order, _variant, _predict, _lowerOrderFinal, _thresholding];

    public ISolver? Find(ParseResult parsed, string? usual)
    {
        if (!All.Any(parsed.IsGiven))
            return null;
        var text = SolverText.Parse(parsed.GetValue(_solver) ?? usual ?? "euler");
        if (parsed.GetValue(_order) is int order)
            text = text.WithOrder(order);
        (string Key, string? Value)[] given =
        [
            ("variant", parsed.GetValue(_variant)),
            ("predict", parsed.GetValue(_predict)),
            ("lower-order-final", parsed.IsGiven(_lowerOrderFinal) ? parsed.GetValue(_lowerOrderFinal) ?? "true" : null),
            ("thresholding", parsed.GetValue(_thresholding)?.ToString().ToLowerInvariant()),
        ];
        foreach (var (key, value) in given)
            text = value is null ? text : text.With(key, value);
        return SolverCatalog.Find(text.ToString());
    }
}
