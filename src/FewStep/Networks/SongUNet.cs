namespace FewStep.Networks;

/// <summary>The DDPM++ and NCSN++ architectures of Song et al. (2011.13456) as NVlabs/edm writes them, with the same parameter
/// names.</summary>
internal sealed class SongUNet : UNet
{
    private readonly SongUNetOptions _options;
    private readonly WeightInit _init = new(WeightInitMode.XavierUniform);
    private readonly UNetBlockOptions _block;
    private int _imageChannels;

    public SongUNet(SongUNetOptions options)
        : base(options.Checked())
    {
        _options = options;
        int embedding = options.ModelChannels * options.ChannelMultEmb, noise = options.ModelChannels * options.ChannelMultNoise;
        _imageChannels = options.InChannels;
        _block = new UNetBlockOptions
        {
            EmbeddingChannels = embedding,
            Dropout = options.Dropout,
            SkipScale = Math.Sqrt(0.5),
            Epsilon = 1e-6,
            ResampleFilter = options.ResampleFilter,
            ResampleProjection = true,
            AdaptiveScale = false,
            Init = _init,
            InitZero = _init with { Scale = 1e-5 },
            InitAttention = _init with { Scale = Math.Sqrt(0.2) },
        };
        NoiseEmbedding map = options.EmbeddingType == "positional" ? new PositionalEmbedding(noise, endpoint: true)
            : new FourierEmbedding(Builder.At("map_noise"), noise);
        var label = options.LabelDim > 0 ? new Linear(Builder.At("map_label"), options.LabelDim, noise, _init) : null;
        LayAugmentation(options.AugmentDim, noise, _init);
        var layer0 = new Linear(Builder.At("map_layer0"), noise, embedding, _init);
        var layer1 = new Linear(Builder.At("map_layer1"), embedding, embedding, _init);
        Lay(
            new UNetEmbedding(map, layer0, layer1)
            {
                SinesFirst = true, // as in the reference
                Label = label,
                LabelScale = Math.Sqrt(options.LabelDim),
                LabelComesFirst = true,
            },
            (place, at) => place.Role switch
            {
                UNetRole.Input => new Conv2d(at, place.InChannels, place.OutChannels, 3, _init),
                UNetRole.Down => WithInput(new UNetBlock(at, place, _block), place),
                UNetRole.Decoder when place.Index == options.NumBlocks => WithOutput(new UNetBlock(at, place, _block), place),
                _ => new UNetBlock(at, place, _block),
            });
    }

    private NetworkBuilder Beside(UNetLayer place, string name) => Builder.At(place.Half + name);

    // The input goes down beside the features and joins them after each halving.
    private IUNetLayer WithInput(UNetBlock block, UNetLayer place)
    {
        if (_options.EncoderType == "skip")
        {
            var down = new Conv2d(
                Beside(place, "aux_down"), _imageChannels, _imageChannels, 0, null, down: true, filter: _options.ResampleFilter);
            return new InputSkip(block, down, new Conv2d(Beside(place, "aux_skip"), _imageChannels, place.OutChannels, 1, _init));
        }

        if (_options.EncoderType == "residual")
        {
            var residual = new Conv2d(Beside(place, "aux_residual"), _imageChannels, place.OutChannels, 3, _init, down: true,
                filter: _options.ResampleFilter, fusedResample: true);
            _imageChannels = place.OutChannels;
            return new InputResidual(block, residual);
        }

        return block;
    }

    // The output comes from the finest level alone, or sums up over all levels.
    private IUNetLayer WithOutput(UNetBlock block, UNetLayer place)
    {
        bool sums = _options.DecoderType == "skip", first = place.Level == _options.ChannelMult.Count - 1;
        if (!sums && place.Level > 0)
            return block;
        var up = sums && !first ? new Conv2d(
            Beside(place, "aux_up"), _options.OutChannels, _options.OutChannels, 0, null, up: true, filter: _options.ResampleFilter) : null;
        var norm = new GroupNorm(Beside(place, "aux_norm"), place.OutChannels, _block.Epsilon);
        var convolution = new Conv2d(Beside(place, "aux_conv"), place.OutChannels, _options.OutChannels, 3, _block.InitZero);
        return new OutputSum(block, up, new NormalisedConvolution(norm, convolution));
    }
}
