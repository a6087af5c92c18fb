namespace FewStep.Checkpoints;

/// <summary>What other programs count a model's noise in, which follows from how it was trained. Noise levels themselves are sigma in
/// every family.</summary>
internal abstract record NoiseFamily
{
    private NoiseFamily()
    {
    }

    /// <summary>What a model of it is, e.g. <c>a rectified flow</c>.</summary>
    public abstract string Words { get; }

    /// <summary>The family of a preconditioning; none is that of what is told sigma and gives images.</summary>
    /// <param name="shift">Of a rectified flow: what its scheduler does with the times that it is given.</param>
    public static NoiseFamily Of(IPreconditioning? preconditioning, FlowShift? shift = null) => preconditioning switch
    {
        FlowPreconditioning => new FlowTimes(shift ?? new()),
        DiscreteVpPreconditioning { Noise: var noise } => new Timesteps(noise),
        _ => new Levels(),
    };

    /// <summary>The family of a model that lies somewhere: the scheduler of its pipeline says the shift of a flow.</summary>
    /// <param name="latents">Shape of what it denoises.</param>
    public static NoiseFamily At(string path, IPreconditioning? preconditioning, ImageShape latents)
        => Of(preconditioning, preconditioning is FlowPreconditioning
            ? FlowMatchScheduler.Of(path)?.ShiftFor(TransformerFolder.TokensOfFlow(latents)) : null);

    /// <summary>Noise levels alone: EDM, variance exploding, variance preserving over continuous times, or what is told sigma.</summary>
    public sealed record Levels : NoiseFamily
    {
        public override string Words => "a model that is told noise levels (EDM, VE)";
    }

    /// <summary>Whole times, each of a level of its own (DDPM, Stable Diffusion).</summary>
    public sealed record Timesteps(DiscreteVpNoise Noise) : NoiseFamily
    {
        public override string Words => $"a model of the timesteps of {Noise.Name}";

        /// <summary>Whether another noise has the same levels.</summary>
        public bool IsThatOf(DiscreteVpNoise other) => other.Sigmas.Length == Noise.Sigmas.Length
            && other.Sigmas.Zip(Noise.Sigmas).All(pair => Math.Abs((pair.First / pair.Second) - 1) < 1e-6);
    }

    /// <summary>Times t = sigma / (1 + sigma) of a rectified flow.</summary>
    /// <param name="Shift">What its scheduler does with the times that it is given.</param>
    public sealed record FlowTimes(FlowShift Shift) : NoiseFamily
    {
        public override string Words => "a rectified flow";
    }
}

/// <summary>What a scheduler of rectified flows does with the times that it is given: t' = factor t / (1 + (factor - 1) t).</summary>
/// <param name="Factor">1 for nothing.</param>
/// <param name="IsDynamic">Whether the factor is that of images of the model's size, and another for others.</param>
internal sealed record FlowShift(double Factor = 1, bool IsDynamic = false);
