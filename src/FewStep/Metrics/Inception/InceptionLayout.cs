namespace FewStep.Metrics;

/// <summary>The convolutions of the Inception-v3 that FID is defined on (Szegedy et al. 2016, in the TensorFlow release of 2015-12-05),
/// 1008 classes and no auxiliary head.</summary>
internal static class InceptionLayout
{
    public const int Features = 2048;

    /// <summary>Classes of the classifier; ImageNet's 1000 and eight that are never used.</summary>
    public const int Classes = 1008;

    /// <summary>Side of the images that the network takes.</summary>
    public const int Side = 299;

    public const double Epsilon = 1e-3;

    public static IReadOnlyList<InceptionConvolution> All { get; } =
    [
        new("Conv2d_1a_3x3", "layers.conv", 3, 32, 3, 3, 2, false),
        new("Conv2d_2a_3x3", "layers.conv_1", 32, 32, 3, 3, 1, false),
        new("Conv2d_2b_3x3", "layers.conv_2", 32, 64, 3, 3, 1, true),
        new("Conv2d_3b_1x1", "layers.conv_3", 64, 80, 1, 1, 1, false),
        new("Conv2d_4a_3x3", "layers.conv_4", 80, 192, 3, 3, 1, false),
        .. BlockA("Mixed_5b", "layers.mixed", 192, 32),
        .. BlockA("Mixed_5c", "layers.mixed_1", 256, 64),
        .. BlockA("Mixed_5d", "layers.mixed_2", 288, 64),
        .. BlockB("Mixed_6a", "layers.mixed_3", 288),
        .. BlockC("Mixed_6b", "layers.mixed_4", 128),
        .. BlockC("Mixed_6c", "layers.mixed_5", 160),
        .. BlockC("Mixed_6d", "layers.mixed_6", 160),
        .. BlockC("Mixed_6e", "layers.mixed_7", 192),
        .. BlockD("Mixed_7a", "layers.mixed_8"),
        .. BlockE("Mixed_7b", "layers.mixed_9", 1280),
        .. BlockE("Mixed_7c", "layers.mixed_10", 2048),
    ];

    private static IEnumerable<InceptionConvolution> BlockA(string name, string script, int inputs, int pooled) =>
    [
        new($"{name}.branch1x1", $"{script}.conv", inputs, 64, 1, 1, 1, false),
        new($"{name}.branch5x5_1", $"{script}.tower.conv", inputs, 48, 1, 1, 1, false),
        new($"{name}.branch5x5_2", $"{script}.tower.conv_1", 48, 64, 5, 5, 1, true),
        new($"{name}.branch3x3dbl_1", $"{script}.tower_1.conv", inputs, 64, 1, 1, 1, false),
        new($"{name}.branch3x3dbl_2", $"{script}.tower_1.conv_1", 64, 96, 3, 3, 1, true),
        new($"{name}.branch3x3dbl_3", $"{script}.tower_1.conv_2", 96, 96, 3, 3, 1, true),
        new($"{name}.branch_pool", $"{script}.tower_2.conv", inputs, pooled, 1, 1, 1, false),
    ];

    private static IEnumerable<InceptionConvolution> BlockB(string name, string script, int inputs) =>
    [
        new($"{name}.branch3x3", $"{script}.conv", inputs, 384, 3, 3, 2, false),
        new($"{name}.branch3x3dbl_1", $"{script}.tower.conv", inputs, 64, 1, 1, 1, false),
        new($"{name}.branch3x3dbl_2", $"{script}.tower.conv_1", 64, 96, 3, 3, 1, true),
        new($"{name}.branch3x3dbl_3", $"{script}.tower.conv_2", 96, 96, 3, 3, 2, false),
    ];

    private static IEnumerable<InceptionConvolution> BlockC(string name, string script, int middle) =>
    [
        new($"{name}.branch1x1", $"{script}.conv", 768, 192, 1, 1, 1, false),
        new($"{name}.branch7x7_1", $"{script}.tower.conv", 768, middle, 1, 1, 1, false),
        new($"{name}.branch7x7_2", $"{script}.tower.conv_1", middle, middle, 1, 7, 1, true),
        new($"{name}.branch7x7_3", $"{script}.tower.conv_2", middle, 192, 7, 1, 1, true),
        new($"{name}.branch7x7dbl_1", $"{script}.tower_1.conv", 768, middle, 1, 1, 1, false),
        new($"{name}.branch7x7dbl_2", $"{script}.tower_1.conv_1", middle, middle, 7, 1, 1, true),
        new($"{name}.branch7x7dbl_3", $"{script}.tower_1.conv_2", middle, middle, 1, 7, 1, true),
        new($"{name}.branch7x7dbl_4", $"{script}.tower_1.conv_3", middle, middle, 7, 1, 1, true),
        new($"{name}.branch7x7dbl_5", $"{script}.tower_1.conv_4", middle, 192, 1, 7, 1, true),
        new($"{name}.branch_pool", $"{script}.tower_2.conv", 768, 192, 1, 1, 1, false),
    ];

    private static IEnumerable<InceptionConvolution> BlockD(string name, string script) =>
    [
        new($"{name}.branch3x3_1", $"{script}.tower.conv", 768, 192, 1, 1, 1, false),
        new($"{name}.branch3x3_2", $"{script}.tower.conv_1", 192, 320, 3, 3, 2, false),
        new($"{name}.branch7x7x3_1", $"{script}.tower_1.conv", 768, 192, 1, 1, 1, false),
        new($"{name}.branch7x7x3_2", $"{script}.tower_1.conv_1", 192, 192, 1, 7, 1, true),
        new($"{name}.branch7x7x3_3", $"{script}.tower_1.conv_2", 192, 192, 7, 1, 1, true),
        new($"{name}.branch7x7x3_4", $"{script}.tower_1.conv_3", 192, 192, 3, 3, 2, false),
    ];

    private static IEnumerable<InceptionConvolution> BlockE(string name, string script, int inputs) =>
    [
        new($"{name}.branch1x1", $"{script}.conv", inputs, 320, 1, 1, 1, false),
        new($"{name}.branch3x3_1", $"{script}.tower_conv", inputs, 384, 1, 1, 1, false),
        new($"{name}.branch3x3_2a", $"{script}.tower_mixed_conv", 384, 384, 1, 3, 1, true),
        new($"{name}.branch3x3_2b", $"{script}.tower_mixed_conv_1", 384, 384, 3, 1, 1, true),
        new($"{name}.branch3x3dbl_1", $"{script}.tower_1_conv", inputs, 448, 1, 1, 1, false),
        new($"{name}.branch3x3dbl_2", $"{script}.tower_1_conv_1", 448, 384, 3, 3, 1, true),
        new($"{name}.branch3x3dbl_3a", $"{script}.tower_1_mixed_conv", 384, 384, 1, 3, 1, true),
        new($"{name}.branch3x3dbl_3b", $"{script}.tower_1_mixed_conv_1", 384, 384, 3, 1, 1, true),
        new($"{name}.branch_pool", $"{script}.tower_2_conv", inputs, 192, 1, 1, 1, false),
    ];
}
