namespace FewStep.Networks;

/// <summary>The ADM architecture of Dhariwal and Nichol (2105.05233) as NVlabs/edm writes it, with the same parameter names.</summary>
internal sealed class DhariwalUNet : UNet
{
    private readonly DhariwalUNetOptions _options;
    private readonly PositionalEmbedding _noise;
    private readonly Linear _layer0;
    private readonly Linear _layer1;
    private readonly Linear? _label;
    private readonly GroupNorm _outNorm;
    private readonly Conv2d _outConvolution;

    public DhariwalUNet(DhariwalUNetOptions options)
        : base(options.Checked())
    {
        _options = options;
        int embedding = options.ModelChannels * options.ChannelMultEmb;
        var init = new WeightInit(WeightInitMode.KaimingUniform, Math.Sqrt(1.0 / 3));
        var block = new UNetBlockOptions
        {
            EmbeddingChannels = embedding,
            NormGroups = options.NormGroups,
            AdaptiveScale = options.ScaleShift ?? true,
            Dropout = options.Dropout,
            Init = init,
            InitZero = WeightInit.Zeros,
        };

        _noise = new PositionalEmbedding(options.ModelChannels, endpoint: false);
        if (options.AugmentDim > 0)
        {
            // Without augmentation labels the reference skips this layer; its weight stays part of the checkpoint.
            _ = new Linear(Builder.At("map_augment"), options.AugmentDim, options.ModelChannels, WeightInit.Zeros, bias: false);
        }

        _layer0 = new Linear(Builder.At("map_layer0"), options.ModelChannels, embedding, init);
        _layer1 = new Linear(Builder.At("map_layer1"), embedding, embedding, init);
        var labelInit = new WeightInit(WeightInitMode.KaimingNormal, Math.Sqrt(options.LabelDim));
        _label = options.LabelDim > 0 ? new Linear(Builder.At("map_label"), options.LabelDim, embedding, labelInit, bias: false) : null;
        Lay((place, at) => place.Role == UNetRole.Input ? Convolution(new Conv2d(at, place.InChannels, place.OutChannels, 3, init))
            : Block(place, at, block));
        int last = Plan[^1].OutChannels;
        _outNorm = new GroupNorm(Builder.At("out_norm"), last, groups: options.NormGroups);
        _outConvolution = new Conv2d(Builder.At("out_conv"), last, options.OutChannels, 3, WeightInit.Zeros);
    }

    protected override Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor? classes)
    {
        var embedding = nn.functional.silu(_layer0.Forward(pass, _noise.Forward(noiseLabels)));
        embedding = _layer1.Forward(pass, embedding);
        if (_label is not null)
            embedding = embedding.Plus(_label.Forward(pass, OneHot(classes, noiseLabels.shape[0], _options.LabelDim, noiseLabels.device)));

        return nn.functional.silu(embedding);
    }

    protected override Tensor End(ForwardPass pass, Tensor x, State state)
        => _outConvolution.Forward(pass, nn.functional.silu(_outNorm.Forward(pass, x)));
}
