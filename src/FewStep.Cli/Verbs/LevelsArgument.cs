namespace FewStep.Cli.Verbs;

/// <summary>The noise levels that a schedule is for, where no model is evaluated: a model's, or two numbers.</summary>
internal sealed class LevelsArgument(Command command)
{
    private readonly Option<string?> _model = command.Optional<string?>(
        "--model", "Model that the schedule is for; its noise levels are kept to.", "model");
    private readonly Option<double?> _low = command.Optional<double?>(
        "--sigma-min", "In place of --model: smallest noise level of the model.", "number");
    private readonly Option<double?> _high = command.Optional<double?>(
        "--sigma-max", "In place of --model: largest noise level of the model.", "number");
    private readonly ModelFlags _about = new(command, guides: false);

    /// <summary>The options in place of a model.</summary>
    public IEnumerable<Option> Numbers => [_low, _high];

    /// <summary>Path of the model; null where none was named.</summary>
    public string? Path(ParseResult parsed) => parsed.GetValue(_model);

    /// <summary>Opens the model; null where none was named.</summary>
    public Model? Open(ParseResult parsed)
        => Path(parsed) is string path ? Model.Open(path, _about.Read(parsed, null, 0)) : null;

    /// <summary>The levels; null where nothing was said.</summary>
    public (double Low, double High)? Read(ParseResult parsed, Model? model)
    {
        var (low, high) = (parsed.GetValue(_low), parsed.GetValue(_high));
        if (model is not null)
        {
            return (low ?? high) is null
                ? (model.Denoiser.SigmaMin, model.Denoiser.SigmaMax)
                : throw new InvalidInputException("--model has noise levels of its own; leave --sigma-min and --sigma-max out.");
        }

        if (low is null && high is null)
            return null;

        // for its range check
        var levels = new EdmPreconditioning(
            sigmaMin: low ?? EdmPreconditioning.UsualMinimum, sigmaMax: high ?? EdmPreconditioning.UsualMaximum);
        return (levels.SigmaMin, levels.SigmaMax);
    }
}
