namespace FewStep.Networks;

/// <summary>The transformer of Flux.1: blocks of joint attention, then blocks over text and image together, with rotary positions and
/// diffusers' parameter names; it is told a text, its pooled embedding and perhaps a guidance scale.</summary>
/// <remarks>Its input are latents whose patches are folded into channels before it.</remarks>
internal sealed class FluxTransformer : Network
{
    private const double GuidanceFactor = 1000;

    private readonly FluxTransformerOptions _options;
    private readonly Linear _image;
    private readonly Linear _context;
    private readonly NumberEmbedding _time;
    private readonly NumberEmbedding? _guidance;
    private readonly EmbeddingLayers _pooled;
    private readonly List<JointBlock> _blocks = [];
    private readonly List<SingleBlock> _singleBlocks = [];
    private readonly Linear _outModulation;
    private readonly Linear _outLayer;

    public FluxTransformer(FluxTransformerOptions options)
    {
        _options = options.Checked();
        int channels = options.Channels;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        var embedding = Builder.At("time_text_embed");
        _time = new NumberEmbedding(embedding.At("timestep_embedder"), channels, init);
        _guidance = options.ToldGuidance ? new NumberEmbedding(embedding.At("guidance_embedder"), channels, init) : null;
        _pooled = new EmbeddingLayers(embedding.At("text_embedder"), options.PooledDim, channels, init);
        _context = new Linear(Builder.At("context_embedder"), options.ContextDim, channels, init);
        _image = new Linear(Builder.At("x_embedder"), options.InChannels, channels, init);
        var block = new JointBlockOptions(channels, options.Heads) { Normalised = true };
        for (int i = 0; i < options.Layers; i++)
            _blocks.Add(new JointBlock(Builder.At($"transformer_blocks.{i}"), block));
        for (int i = 0; i < options.SingleLayers; i++)
            _singleBlocks.Add(new SingleBlock(Builder.At($"single_transformer_blocks.{i}"), channels, options.Heads));
        _outModulation = new Linear(Builder.At("norm_out.linear"), channels, 2 * channels, WeightInit.Zeros);
        _outLayer = new Linear(Builder.At("proj_out"), channels, options.OutChannels, WeightInit.Zeros);
    }

    public override double Dropout => 0;
    public override bool RecomputesBlocks => true;

    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        var (context, pooled) = TextCondition.Of(condition, x, _options.ContextDim, _options.PooledDim, "A Flux transformer");
        var embedded = Embed(pass, noiseLabels, pooled, condition!.GuidanceScale);
        var text = _context.ForwardFeatures(pass, context);
        var tokens = _image.ForwardFeatures(pass, Tokens.OfMap(x));
        long words = text.shape[1], height = x.shape[2], width = x.shape[3];
        var positions = RotaryPositions.Of(_options.AxesChannels, words, height, width, x.device);
        for (int i = 0; i < _blocks.Count; i++)
        {
            using var scope = NewDisposeScope();
            var (image, newText) = _blocks[i].Forward(pass, tokens, text, embedded, positions);
            (tokens, text) = (image.MoveToOuterDisposeScope(), newText!.MoveToOuterDisposeScope());
        }

        if (pass.Encoded is not null)
            return pass.Encoded[int.MaxValue] = Tokens.Map(tokens, height, width);
        var all = cat([text, tokens], 1);
        for (int i = 0; i < _singleBlocks.Count; i++)
        {
            using var scope = NewDisposeScope();
            all = _singleBlocks[i].Forward(pass, all, embedded, positions).MoveToOuterDisposeScope();
        }

        var ends = _outModulation.Forward(pass, embedded).chunk(2, 1);
        tokens = Tokens.Modulated(all.narrow(1, words, height * width), ends[1], ends[0]);
        return Tokens.Map(_outLayer.ForwardFeatures(pass, tokens), height, width);
    }

    private Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor pooled, Tensor? guidance)
    {
        var embedded = _time.Forward(pass, noiseLabels).Plus(_pooled.Forward(pass, pooled));
        if (_guidance is not null)
        {
            var scale = guidance ?? throw new InvalidInputException("A Flux transformer with a guidance embedding is told a guidance "
                + "scale; give one (3.5 is usual).");
            embedded = embedded.Plus(_guidance.Forward(pass, scale.Times(GuidanceFactor)));
        }

        return nn.functional.silu(embedded);
    }

    // Attention and layer side by side, over text and image together.
    private sealed class SingleBlock
    {
        private readonly Range _parameters;
        private readonly Linear _modulation;
        private readonly HeadProjections _heads;
        private readonly TokenLinear _wide;
        private readonly TokenLinear _projection;

        public SingleBlock(NetworkBuilder builder, int channels, int heads)
        {
            int first = builder.Count;
            _modulation = new Linear(builder.At("norm.linear"), channels, 3 * channels, WeightInit.Zeros);
            _heads = new HeadProjections(builder.At("attn"), channels, heads, normalised: true);
            _wide = new TokenLinear(builder.At("proj_mlp").Adapted(LoraLayers.FeedForward), channels, 4 * channels);
            _projection = new TokenLinear(
                builder.At("proj_out").Adapted(LoraLayers.Attention | LoraLayers.FeedForward), 5 * channels, channels);
            _parameters = builder.Since(first);
        }

        public Tensor Forward(ForwardPass pass, Tensor x, Tensor embedded, RotaryPositions positions)
            => pass.Block(_parameters, (own, given) => [Evaluate(own, given[0], given[1], new(given[2], given[3]))],
                x, embedded, positions.Cosines, positions.Sines)[0];

        private Tensor Evaluate(ForwardPass pass, Tensor x, Tensor embedded, RotaryPositions positions)
        {
            var m = _modulation.Forward(pass, embedded).chunk(3, 1);
            var normalised = Tokens.Modulated(x, m[0], m[1]);
            var (query, key, value) = _heads.Forward(pass, normalised);
            var attended = Tokens.Attend(pass, positions.Turn(query), positions.Turn(key), value);
            var wide = nn.functional.gelu(_wide.Forward(pass, normalised), TorchSharp.Modules.GELU.Approximate.tanh);
            return Tokens.Gated(x, m[2], _projection.Forward(pass, cat([attended, wide], 2)));
        }
    }
}
