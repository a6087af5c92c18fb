namespace FewStep.Networks;

/// <summary>The transformer of Flux.1: blocks of joint attention, then blocks over text and image together, with rotary positions and
/// diffusers' parameter names; it is told a text, its pooled embedding and perhaps a guidance scale.</summary>
/// <remarks>Its input are latents whose patches are folded into channels before it.</remarks>
internal sealed class FluxTransformer : Network
{
    /// <summary>What the network multiplies times and guidance scales by that it is told in other programs.</summary>
    public const double TimeFactor = 1000, GuidanceFactor = 1000;

    public FluxTransformerOptions Options { get; }
    public TokenLinear Image { get; }
    public TokenLinear Context { get; }
    public NumberEmbedding Time { get; }
    public NumberEmbedding? Guidance { get; }
    public EmbeddingLayers Pooled { get; }
    public List<JointBlock> Blocks { get; } = [];
    public List<SingleBlock> SingleBlocks { get; } = [];
    public Linear OutModulation { get; }
    public TokenLinear OutLayer { get; }

    public FluxTransformer(FluxTransformerOptions options)
    {
        Options = options.Checked();
        int channels = options.Channels;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        var embedding = Builder.At("time_text_embed");
        Time = new NumberEmbedding(embedding.At("timestep_embedder"), channels, init);
        Guidance = options.ToldGuidance ? new NumberEmbedding(embedding.At("guidance_embedder"), channels, init) : null;
        Pooled = new EmbeddingLayers(embedding.At("text_embedder"), options.PooledDim, channels, init);
        Context = new TokenLinear(Builder.At("context_embedder"), options.ContextDim, channels);
        Image = new TokenLinear(Builder.At("x_embedder"), options.InChannels, channels);
        var block = new JointBlockOptions(channels, options.Heads) { Normalised = true };
        for (int i = 0; i < options.Layers; i++)
            Blocks.Add(new JointBlock(Builder.At($"transformer_blocks.{i}"), block));
        for (int i = 0; i < options.SingleLayers; i++)
            SingleBlocks.Add(new SingleBlock(Builder.At($"single_transformer_blocks.{i}"), channels, options.Heads));
        OutModulation = new Linear(Builder.At("norm_out.linear"), channels, 2 * channels, WeightInit.Zeros);
        OutLayer = new TokenLinear(Builder.At("proj_out"), channels, options.OutChannels, init: WeightInit.Zeros);
    }

    public override double Dropout => 0;
    public override bool RecomputesBlocks => true;

    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        var (context, pooled) = TextCondition.Of(condition, x, Options.ContextDim, Options.PooledDim, "A Flux transformer");
        var embedded = Embed(pass, noiseLabels, pooled, condition!.GuidanceScale);
        var text = Context.Forward(pass, context);
        var tokens = Image.Forward(pass, Tokens.OfMap(x));
        long words = text.shape[1], height = x.shape[2], width = x.shape[3];
        var positions = RotaryPositions.Of(Options.AxesChannels, words, height, width, x.device);
        for (int i = 0; i < Blocks.Count; i++)
        {
            using var scope = NewDisposeScope();
            var (image, newText) = Blocks[i].Forward(pass, tokens, text, embedded, positions);
            (tokens, text) = (image.MoveToOuterDisposeScope(), newText!.MoveToOuterDisposeScope());
        }

        if (pass.Encoded is not null)
            return pass.Encoded[int.MaxValue] = Tokens.Map(tokens, height, width);
        var all = cat([text, tokens], 1);
        for (int i = 0; i < SingleBlocks.Count; i++)
        {
            using var scope = NewDisposeScope();
            all = SingleBlocks[i].Forward(pass, all, embedded, positions).MoveToOuterDisposeScope();
        }

        var ends = OutModulation.Forward(pass, embedded).chunk(2, 1);
        tokens = Tokens.Modulated(all.narrow(1, words, height * width), ends[1], ends[0]);
        return Tokens.Map(OutLayer.Forward(pass, tokens), height, width);
    }

    private Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor pooled, Tensor? guidance)
    {
        var embedded = Time.Forward(pass, noiseLabels).Plus(Pooled.Forward(pass, pooled));
        if (Guidance is not null)
        {
            var scale = guidance ?? throw new InvalidInputException("A Flux transformer with a guidance embedding is told a guidance "
                + "scale; give one (3.5 is usual).");
            embedded = embedded.Plus(Guidance.Forward(pass, scale.Times(GuidanceFactor)));
        }

        return nn.functional.silu(embedded);
    }

    // Attention and layer side by side, over text and image together.
    public sealed class SingleBlock
    {
        private readonly Range _parameters;
        public Linear Modulation { get; }
        public HeadProjections Heads { get; }
        public TokenLinear Wide { get; }
        public TokenLinear Projection { get; }

        public SingleBlock(NetworkBuilder builder, int channels, int heads)
        {
            int first = builder.Count;
            Modulation = new Linear(builder.At("norm.linear"), channels, 3 * channels, WeightInit.Zeros);
            Heads = new HeadProjections(builder.At("attn"), channels, heads, normalised: true);
            Wide = new TokenLinear(builder.At("proj_mlp").Adapted(LoraLayers.FeedForward), channels, 4 * channels);
            Projection = new TokenLinear(
                builder.At("proj_out").Adapted(LoraLayers.Attention | LoraLayers.FeedForward), 5 * channels, channels);
            _parameters = builder.Since(first);
        }

        public Tensor Forward(ForwardPass pass, Tensor x, Tensor embedded, RotaryPositions positions)
            => pass.Block(_parameters, (own, given) => [Evaluate(own, given[0], given[1], new(given[2], given[3]))],
                x, embedded, positions.Cosines, positions.Sines)[0];

        private Tensor Evaluate(ForwardPass pass, Tensor x, Tensor embedded, RotaryPositions positions)
        {
            var m = Modulation.Forward(pass, embedded).chunk(3, 1);
            var normalised = Tokens.Modulated(x, m[0], m[1]);
            var (query, key, value) = Heads.Forward(pass, normalised);
            var attended = Tokens.Attend(pass, positions.Turn(query), positions.Turn(key), value);
            var wide = nn.functional.gelu(Wide.Forward(pass, normalised), TorchSharp.Modules.GELU.Approximate.tanh);
            return Tokens.Gated(x, m[2], Projection.Forward(pass, cat([attended, wide], 2)));
        }
    }
}
