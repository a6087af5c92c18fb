namespace FewStep.Cli.Verbs;

/// <summary>The noise that a model was trained on, where no model is named: a name, and the betas where they are not the usual
/// ones.</summary>
internal sealed class NoiseArgument(Command command)
{
    private static readonly string[] Names = [.. DiscreteVpNoise.Names, FlowTime.NoiseName];

    private readonly Option<string?> _name = command.Optional<string?>("--noise",
        "Noise that the model was trained on, for timesteps and flow times: vp-linear (DDPM), vp-scaled-linear (Stable Diffusion), "
            + $"vp-cosine or {FlowTime.NoiseName} (SD3, Flux).", "name");
    private readonly Option<double?> _first = command.Optional<double?>(
        "--beta-start", "Its first beta; left out, the noise's usual one.", "number");
    private readonly Option<double?> _last = command.Optional<double?>(
        "--beta-end", "Its last beta; left out, the noise's usual one.", "number");

    public IEnumerable<Option> All => [_name, _first, _last];

    /// <summary>The noise of a model with whole timesteps; null where no such noise was named.</summary>
    public DiscreteVpNoise? Read(ParseResult parsed)
    {
        var (name, first, last) = (parsed.GetValue(_name), parsed.GetValue(_first), parsed.GetValue(_last));
        if (name is not null && !Names.Contains(name))
            throw new InvalidInputException($"--noise '{Printable.Line(name, 40)}' is none of {string.Join(", ", Names)}.");
        if (name is null or DiscreteVpNoise.CosineName or FlowTime.NoiseName && (first ?? last) is not null)
            throw new InvalidInputException("--beta-start and --beta-end belong to --noise vp-linear and vp-scaled-linear.");
        return name is null or FlowTime.NoiseName ? null : DiscreteVpNoise.Create(name, first, last);
    }

    /// <summary>Whether the model, or the noise where no model is named, is a rectified flow.</summary>
    public bool IsFlow(ParseResult parsed, Model? model)
    {
        string? name = parsed.GetValue(_name);
        if (model is not null && name is not null && model.IsFlow != (name == FlowTime.NoiseName))
        {
            throw new InvalidInputException(
                $"--noise {name} is not that of --model {model.Path}, which is {(model.IsFlow ? "a" : "no")} rectified flow; leave --noise "
                    + "out.");
        }

        return model?.IsFlow ?? name == FlowTime.NoiseName;
    }

    /// <summary>The noise levels between which schedules are made for the noise; null where none was named.</summary>
    public (double Low, double High)? Levels(ParseResult parsed) => Read(parsed) is { } noise
        ? (noise.Sigmas[0], ScheduleRange.Ceiling(noise.Sigmas[0], noise.Sigmas[^1]))
        : IsFlow(parsed, null) ? (FlowTime.UsualSigmaMin, FlowTime.UsualSigmaMax) : null;
}
