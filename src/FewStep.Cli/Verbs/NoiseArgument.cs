namespace FewStep.Cli.Verbs;

/// <summary>The noise that a model was trained on, where no model is named: a name, and the betas where they are not the usual
/// ones.</summary>
internal sealed class NoiseArgument(Command command)
{
    private static readonly string[] Names = [.. DiscreteVpNoise.Names, FlowTime.NoiseName];

    private readonly Option<string?> _name = command.Optional<string?>("--noise",
        "Noise that the model was trained on, for timesteps and flow times: vp-linear (DDPM), vp-scaled-linear (Stable Diffusion), "
            + $"vp-cosine or {FlowTime.NoiseName} (SD3, Flux). Left out, that of --model.", "name");
    private readonly Option<double?> _first = command.Optional<double?>(
        "--beta-start", "Its first beta; left out, the noise's usual one.", "number");
    private readonly Option<double?> _last = command.Optional<double?>(
        "--beta-end", "Its last beta; left out, the noise's usual one.", "number");

    public IEnumerable<Option> All => [_name, _first, _last];

    // The noise of a model with whole timesteps; null where no such noise was named.
    private DiscreteVpNoise? Read(ParseResult parsed)
    {
        var (name, first, last) = (parsed.GetValue(_name), parsed.GetValue(_first), parsed.GetValue(_last));
        if (name is not null && !Names.Contains(name))
            throw new InvalidInputException($"--noise '{Printable.Line(name, 40)}' is none of {string.Join(", ", Names)}.");
        if (name is null or DiscreteVpNoise.CosineName or FlowTime.NoiseName && (first ?? last) is not null)
            throw new InvalidInputException("--beta-start and --beta-end belong to --noise vp-linear and vp-scaled-linear.");
        return name is null or FlowTime.NoiseName ? null : DiscreteVpNoise.Create(name, first, last);
    }

    /// <summary>What programs count the noise of the model in, or that which is named; null where nothing is known.</summary>
    public NoiseFamily? Family(ParseResult parsed, Model? model)
    {
        NoiseFamily? named = Read(parsed) is { } noise ? new NoiseFamily.Timesteps(noise)
            : parsed.GetValue(_name) == FlowTime.NoiseName ? new NoiseFamily.FlowTimes(new()) : null;
        return (model?.Family, named) switch
        {
            ({ } own, null) => own,
            (null, _) => named,
            (NoiseFamily.FlowTimes own, NoiseFamily.FlowTimes) => own,
            (NoiseFamily.Timesteps own, NoiseFamily.Timesteps other) when own.IsThatOf(other.Noise) => own,

            // What is told sigma may stand for a model of another program that is told timesteps.
            (NoiseFamily.Levels, NoiseFamily.Timesteps) => named,
            _ => throw new InvalidInputException(
                $"--noise {parsed.GetValue(_name)} is not that of --model {model!.Path}, which is {model.Family.Words}; leave --noise "
                    + "out."),
        };
    }

    /// <summary>What to say where a noise was named for a model that has none; null else.</summary>
    public string? Remark(ParseResult parsed, Model? model) => model?.Family is NoiseFamily.Levels && Read(parsed) is { } noise
        ? $"--model {model.Path} is {model.Family.Words}: timesteps are those of {noise.Name}, as --noise says." : null;

    /// <summary>The smallest and the largest level of the noise; null where none was named.</summary>
    public (double Low, double High)? Limits(ParseResult parsed)
        => Read(parsed) is { } noise ? (noise.Sigmas[0], noise.Sigmas[^1]) : null;

    /// <summary>The noise levels between which schedules are made for the noise; null where none was named.</summary>
    public (double Low, double High)? Levels(ParseResult parsed) => Read(parsed) is { } noise
        ? (noise.Sigmas[0], ScheduleRange.Ceiling(noise.Sigmas[0], noise.Sigmas[^1]))
        : Family(parsed, null) is NoiseFamily.FlowTimes ? (FlowTime.UsualSigmaMin, FlowTime.UsualSigmaMax) : null;
}
