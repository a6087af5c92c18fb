namespace FewStep.Cli.Verbs;

/// <summary>The training noise of a model with whole timesteps: a name, and the betas where they are not the usual ones.</summary>
internal sealed class NoiseArgument(Command command)
{
    private readonly Option<string?> _name = command.Optional<string?>("--noise",
        "Noise that the model was trained on, for timesteps: vp-linear (DDPM), vp-scaled-linear (Stable Diffusion) or vp-cosine.", "name");
    private readonly Option<double?> _first = command.Optional<double?>(
        "--beta-start", "Its first beta; left out, the noise's usual one.", "number");
    private readonly Option<double?> _last = command.Optional<double?>(
        "--beta-end", "Its last beta; left out, the noise's usual one.", "number");

    public IEnumerable<Option> All => [_name, _first, _last];

    /// <summary>The noise; null where none was named.</summary>
    public DiscreteVpNoise? Read(ParseResult parsed)
    {
        var (name, first, last) = (parsed.GetValue(_name), parsed.GetValue(_first), parsed.GetValue(_last));
        if (name is null or DiscreteVpNoise.CosineName && (first ?? last) is not null)
            throw new InvalidInputException("--beta-start and --beta-end belong to --noise vp-linear and vp-scaled-linear.");
        return name switch
        {
            null => null,
            _ when DiscreteVpNoise.Names.Contains(name) => DiscreteVpNoise.Create(name, first, last),
            _ => throw new InvalidInputException($"--noise '{name}' is none of {string.Join(", ", DiscreteVpNoise.Names)}."),
        };
    }
}
