namespace FewStep.Networks;

/// <summary>The DDPM++ and NCSN++ architectures of Song et al. (2011.13456) as NVlabs/edm writes them, with the same parameter
/// names.</summary>
internal sealed class SongUNet : UNet
{
    private readonly SongUNetOptions _options;
    private readonly NoiseEmbedding _noise;
    private readonly Linear? _label;
    private readonly Linear _layer0;
    private readonly Linear _layer1;
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

        _noise = options.EmbeddingType == "positional" ? new PositionalEmbedding(noise, endpoint: true)
            : new FourierEmbedding(Builder.At("map_noise"), noise);
        _label = options.LabelDim > 0 ? new Linear(Builder.At("map_label"), options.LabelDim, noise, _init) : null;
        if (options.AugmentDim > 0)
        {
            // Without augmentation labels the reference skips this layer; its weight stays part of the checkpoint.
            _ = new Linear(Builder.At("map_augment"), options.AugmentDim, noise, _init, bias: false);
        }

        _layer0 = new Linear(Builder.At("map_layer0"), noise, embedding, _init);
        _layer1 = new Linear(Builder.At("map_layer1"), embedding, embedding, _init);
        Lay((place, at) => place.Role switch
        {
            UNetRole.Input => Convolution(new Conv2d(at, place.InChannels, place.OutChannels, 3, _init)),
            UNetRole.Down => WithInput(Block(place, at, _block), place),
            UNetRole.Decoder when place.Index == options.NumBlocks => WithOutput(Block(place, at, _block), place),
            _ => Block(place, at, _block),
        });
    }

    protected override Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor? classes)
    {
        var cosinesAndSines = _noise.Forward(noiseLabels).chunk(2, 1);
        var embedding = cat([cosinesAndSines[1], cosinesAndSines[0]], 1); // the reference swaps them
        if (_label is not null)
        {
            var labels = OneHot(classes, noiseLabels.shape[0], _options.LabelDim, noiseLabels.device);
            embedding = embedding.Plus(_label.Forward(pass, labels.Times(Math.Sqrt(_label.InFeatures))));
        }

        embedding = nn.functional.silu(_layer0.Forward(pass, embedding));
        return nn.functional.silu(_layer1.Forward(pass, embedding));
    }

    protected override Tensor End(ForwardPass pass, Tensor x, State state) => state.Output!;

    private NetworkBuilder Beside(UNetLayer place, string name) => Builder.At(place.Half + name);

    // The input goes down beside the features and joins them after each halving.
    private Layer WithInput(Layer block, UNetLayer place)
    {
        if (_options.EncoderType == "skip")
        {
            var down = new Conv2d(
                Beside(place, "aux_down"), _imageChannels, _imageChannels, 0, null, down: true, filter: _options.ResampleFilter);
            var skip = new Conv2d(Beside(place, "aux_skip"), _imageChannels, place.OutChannels, 1, _init);
            return (pass, x, state) =>
            {
                x = block(pass, x, state);
                state.Image = down.Forward(pass, state.Image);
                return x.Plus(skip.Forward(pass, state.Image));
            };
        }

        if (_options.EncoderType == "residual")
        {
            var residual = new Conv2d(Beside(place, "aux_residual"), _imageChannels, place.OutChannels, 3, _init, down: true,
                filter: _options.ResampleFilter, fusedResample: true);
            _imageChannels = place.OutChannels;
            return (pass, x, state) => state.Image = block(pass, x, state).Plus(residual.Forward(pass, state.Image)).Times(Math.Sqrt(0.5));
        }

        return block;
    }

    // The output comes from the finest level alone, or sums up over all levels.
    private Layer WithOutput(Layer block, UNetLayer place)
    {
        bool sums = _options.DecoderType == "skip", first = place.Level == _options.ChannelMult.Count - 1;
        if (!sums && place.Level > 0)
            return block;

        var up = sums && !first ? new Conv2d(
            Beside(place, "aux_up"), _options.OutChannels, _options.OutChannels, 0, null, up: true, filter: _options.ResampleFilter) : null;
        var norm = new GroupNorm(Beside(place, "aux_norm"), place.OutChannels, _block.Epsilon);
        var convolution = new Conv2d(Beside(place, "aux_conv"), place.OutChannels, _options.OutChannels, 3, _block.InitZero);
        return (pass, x, state) =>
        {
            x = block(pass, x, state);
            var before = up?.Forward(pass, state.Output!);
            var image = convolution.Forward(pass, norm.ForwardSilu(pass, x));
            state.Output = before is null ? image : image.Plus(before);
            return x;
        };
    }
}
