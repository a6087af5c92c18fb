namespace FewStep.Networks;

/// <summary>The architecture of DDPM (Ho et al. 2006.11239) as diffusers' <c>UNet2DModel</c> of convolutional resampling computes it, with
/// the blocks and the manner of names of NVlabs/edm.</summary>
internal sealed class DdpmUNet : UNet
{
    private readonly DdpmUNetOptions _options;
    private readonly PositionalEmbedding _noise;
    private readonly Linear _layer0;
    private readonly Linear _layer1;
    private readonly Linear? _label;
    private readonly GroupNorm _outNorm;
    private readonly Conv2d _outConvolution;

    public DdpmUNet(DdpmUNetOptions options)
        : base(options.Checked())
    {
        _options = options;
        int first = options.BlockChannels[0], embedding = first * 4;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        var block = new UNetBlockOptions
        {
            EmbeddingChannels = embedding,
            Dropout = options.Dropout,
            Epsilon = options.NormEpsilon,
            NormGroups = options.NormGroups,
            AdaptiveScale = options.ScaleShift,
            Init = init,
            InitZero = init with { Scale = 1e-5 },
        };

        _noise = new PositionalEmbedding(first, options.FrequencyEndpoint);
        _layer0 = new Linear(Builder.At("map_layer0"), first, embedding, init);
        _layer1 = new Linear(Builder.At("map_layer1"), embedding, embedding, init);
        _label = options.LabelDim > 0 ? new Linear(Builder.At("map_label"), options.LabelDim, embedding, init, bias: false) : null;
        Lay((place, at) => place.Role switch
        {
            UNetRole.Input => Convolution(new Conv2d(at, place.InChannels, place.OutChannels, 3, init)),
            UNetRole.Down => Strided(new StridedConv2d(at, place.OutChannels, init, options.SymmetricPadding)),
            UNetRole.Up => Convolution(new Conv2d(at, place.InChannels, place.OutChannels, 3, init, up: true)),
            _ => Block(place, at, block),
        });
        _outNorm = new GroupNorm(Builder.At("out_norm"), first, options.NormEpsilon, options.NormGroups);
        _outConvolution = new Conv2d(Builder.At("out_conv"), first, options.OutChannels, 3, block.InitZero);
    }

    protected override Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor? classes)
    {
        var embedding = _noise.Forward(noiseLabels);
        if (!_options.CosineFirst)
        {
            var cosinesAndSines = embedding.chunk(2, 1);
            embedding = cat([cosinesAndSines[1], cosinesAndSines[0]], 1);
        }

        embedding = _layer1.Forward(pass, nn.functional.silu(_layer0.Forward(pass, embedding)));
        if (_label is not null)
            embedding = embedding.Plus(_label.Forward(pass, OneHot(classes, noiseLabels.shape[0], _options.LabelDim, noiseLabels.device)));

        return nn.functional.silu(embedding);
    }

    protected override Tensor End(ForwardPass pass, Tensor x, State state) => _outConvolution.Forward(pass, _outNorm.ForwardSilu(pass, x));

    private static Layer Strided(StridedConv2d convolution) => (pass, x, _) => convolution.Forward(pass, x);
}
