namespace FewStep.Cli.Verbs;

/// <summary>The noise levels that a schedule is for, where no model is evaluated: a model's, or two numbers.</summary>
internal sealed class LevelsArgument(Command command)
{
    private readonly Option<string?> _model = command.Optional<string?>(
        "--model", "Model that the schedule is for; its noise levels are kept to.", "model");
    private readonly ScheduleRangeFlags _range = new(command, " Without --model they stand for the model's own.");
    private readonly ModelFlags _about = new(command, guides: false, ranges: false);

    /// <summary>The options for the levels.</summary>
    public IEnumerable<Option> Numbers => _range.All;

    /// <summary>Path of the model; null where none was named.</summary>
    public string? Path(ParseResult parsed) => parsed.GetValue(_model);

    /// <summary>Opens the model; null where none was named.</summary>
    public Model? Open(ParseResult parsed) => Path(parsed) is string path ? Model.Open(path, Options(parsed)) : null;

    /// <summary>How the model is opened.</summary>
    public ModelOptions Options(ParseResult parsed)
    {
        var (low, high) = _range.Read(parsed);
        return _about.Read(parsed, null, 0) with { SigmaMin = low, SigmaMax = high, NeedsNoPrompts = true, NeedsNoPipeline = true };
    }

    /// <summary>The levels that a schedule must keep to which is given; null where nothing was said.</summary>
    public (double Low, double High)? Read(ParseResult parsed, Model? model) =>
        model is not null && _range.Read(parsed) is (null, null) ? (model.Denoiser.SigmaMin, model.Denoiser.SigmaMax)
            : Made(parsed, model, null);

    /// <summary>The levels between which a schedule is made; null where nothing was said.</summary>
    /// <param name="usual">Those of what else is known of the model; null where nothing is.</param>
    public (double Low, double High)? Made(ParseResult parsed, Model? model, (double Low, double High)? usual)
    {
        if (model is not null)
            return (model.ScheduleRange.SigmaMin, model.ScheduleRange.SigmaMax);
        var (low, high) = _range.Read(parsed);
        if ((low ?? high) is null)
            return usual;

        // for its range check
        var levels = new EdmPreconditioning(sigmaMin: low ?? usual?.Low ?? EdmPreconditioning.UsualMinimum,
            sigmaMax: high ?? usual?.High ?? EdmPreconditioning.UsualMaximum);
        return (levels.SigmaMin, levels.SigmaMax);
    }
}
