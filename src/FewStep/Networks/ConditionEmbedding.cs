namespace FewStep.Networks;

/// <summary>Embeds the time for all blocks of a <see cref="ConditionUNet"/>, with the guidance scale added before the two linear layers,
/// pooled text and sizes after them.</summary>
internal sealed class ConditionEmbedding
{
    // Latent consistency models (2310.04378) embed 1000 w.
    private const double GuidanceFactor = 1000;

    private readonly ConditionUNetOptions _options;
    private readonly int _channels;

    public ConditionEmbedding(NetworkBuilder builder, ConditionUNetOptions options)
    {
        (_options, _channels) = (options, options.EmbeddingChannels ?? 4 * options.BlockChannels[0]);
        var time = builder.At("time_embedding");
        Time = new PositionalEmbedding(options.BlockChannels[0], options.FrequencyEndpoint);
        var init = new WeightInit(WeightInitMode.XavierUniform);
        GuidanceLayer = options.GuidanceChannels is { } guidance
            ? new Linear(time.At("cond_proj"), guidance, options.BlockChannels[0], init, bias: false) : null;
        TimeLayers = new EmbeddingLayers(time, options.BlockChannels[0], _channels, init);
        AddedLayers = options.AddedChannels is { } added
            ? new EmbeddingLayers(builder.At("add_embedding"), added, _channels, init) : null;
    }

    public int Channels => _channels;
    public PositionalEmbedding Time { get; }
    public Linear? GuidanceLayer { get; }
    public EmbeddingLayers TimeLayers { get; }
    public EmbeddingLayers? AddedLayers { get; }

    /// <param name="times">[B], float32.</param>
    /// <returns>[B,E] after its SiLU, float32; belongs to the current dispose scope.</returns>
    public Tensor Forward(ForwardPass pass, Tensor times, NetworkCondition condition)
    {
        using var scope = NewDisposeScope();
        var embedded = Time.Forward(times, sinesFirst: !_options.CosineFirst);
        if (GuidanceLayer is not null)
            embedded = embedded.Plus(GuidanceLayer.Forward(pass, Guidance(condition)));
        embedded = TimeLayers.Forward(pass, embedded);
        if (AddedLayers is not null)
            embedded = embedded.Plus(AddedLayers.Forward(pass, Added(condition)));
        return nn.functional.silu(embedded).MoveToOuterDisposeScope();
    }

    /// <summary>Embeds the guidance scale as latent consistency models are told it.</summary>
    /// <param name="scale">w of v + w (v - v_empty), float32 [B].</param>
    /// <returns>float32 [B,channels]; belongs to the current dispose scope.</returns>
    public static Tensor OfGuidance(Tensor scale, int channels) => new PositionalEmbedding(channels, endpoint: true).Forward(
        scale.to(ScalarType.Float32).Times(GuidanceFactor), sinesFirst: true);

    private Tensor Guidance(NetworkCondition condition)
    {
        var scale = condition.GuidanceScale ?? throw new InvalidInputException(
            "The network is told its guidance scale (a latent consistency model), and none was given. Give one.");
        return OfGuidance(scale, _options.GuidanceChannels!.Value);
    }

    private Tensor Added(NetworkCondition condition)
    {
        if (condition.Pooled is not { } pooled || condition.Sizes is not { } sizes)
        {
            throw new InvalidInputException("The network is told a pooled text embedding and the sizes of the image (as Stable Diffusion "
                + "XL is), and they were not given.");
        }

        int each = _options.SizeChannels!.Value;
        long total = pooled.shape[1] + (sizes.shape[1] * each);
        if (total != _options.AddedChannels)
        {
            throw new InvalidInputException($"A pooled text embedding of {pooled.shape[1]} numbers and {sizes.shape[1]} sizes make {total} "
                + $"channels; the network takes {_options.AddedChannels}. Take the text encoder that belongs to it.");
        }

        var embedded = new PositionalEmbedding(each, _options.FrequencyEndpoint)
            .Forward(sizes.flatten(), sinesFirst: !_options.CosineFirst);
        return cat([pooled.to(ScalarType.Float32), embedded.view(sizes.shape[0], -1)], 1);
    }
}
