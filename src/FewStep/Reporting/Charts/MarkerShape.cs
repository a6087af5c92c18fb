namespace FewStep.Reporting.Charts;

/// <summary>Shape of a data point: tells methods apart where colour does not.</summary>
internal enum MarkerShape
{
    Circle,
    Diamond,
    Square,
    Triangle,
}
